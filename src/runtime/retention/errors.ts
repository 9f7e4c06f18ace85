/** Nothing can be archived like this; nothing was cut. The message says why and what to do. */
export class RetentionRefused extends Error {
  readonly _tag = 'RetentionRefused'
}
