/** By what routes of one stream are told apart in time. */
export interface RouteOrder {
  readonly epoch: number
  readonly sequence: number
}

/** Whether a route is newer than another: of a higher epoch, or of the same one with a higher sequence. */
export const isNewer = (route: RouteOrder, than: RouteOrder | null): boolean =>
  than === null || route.epoch > than.epoch || (route.epoch === than.epoch && route.sequence > than.sequence)
