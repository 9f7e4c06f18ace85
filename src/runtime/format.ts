/** What a person asks of a format becomes one that can be, or an error that names the nearest ones. */
export { formatFor, type FormatRequest } from '../media/format.js'
