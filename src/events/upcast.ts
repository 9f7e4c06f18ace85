import type { EventDefinition } from './definition.js'
import type { SegueEvent } from './envelope.js'

/**
 * An event as today's schema has it: the data of an older version go through every step up to the newest, so that rules and
 * projections know one shape only. What is stored stays as it was written. An event of today, of no known type, or newer
 * than ours comes back as it is; whoever decodes it refuses the latter two.
 *
 * @throws what a step throws for data that do not fit its version
 */
export function upcast(definition: EventDefinition | undefined, event: SegueEvent): SegueEvent {
  if (definition === undefined || event.schemaVersion >= definition.schemaVersion) return event
  const steps = definition.upcasts.slice(event.schemaVersion - 1)
  const data = steps.reduce<unknown>((older, step) => step(older), event.data)
  return { ...event, data, schemaVersion: definition.schemaVersion }
}
