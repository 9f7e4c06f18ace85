export { modelCardHtml, type CardInputs } from './html.js'
