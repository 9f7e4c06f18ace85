// The fleets that the cells are played on.
import { reachableThreads } from './inflict.mjs'
import { openStage } from './stage.mjs'

const scenes = {
  ordinary: () => openStage({ places: { control: { env: reachableThreads } } }),
}

export const openSceneOf = (name) => scenes[name]()
