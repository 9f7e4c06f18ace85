export { spreadOf, type Spread } from './figures.js'
export { reportHtml } from './html.js'
export { reportOf, type Report, type ReportRows } from './report.js'
export { millis, share, whole } from './words.js'
