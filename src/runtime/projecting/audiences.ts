import type { Projection } from '../../projections/readModel/index.js'

/** Who is shown an event, by category and type. */
export function audiencesOf<Member extends { readonly projection: Projection }>(
  all: ReadonlyArray<Member>,
): ReadonlyMap<string, ReadonlyMap<string, ReadonlyArray<Member>>> {
  const audiences = new Map<string, Map<string, Member[]>>()
  for (const running of all) {
    for (const [category, types] of Object.entries(running.projection.interests)) {
      const ofCategory = audiences.get(category) ?? new Map<string, Member[]>()
      audiences.set(category, ofCategory)
      for (const type of types) ofCategory.set(type, [...(ofCategory.get(type) ?? []), running])
    }
  }
  return audiences
}
