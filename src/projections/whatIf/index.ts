export { renderWhatIf } from './html.js'
export { whatIf, type Alternative, type WhatIfResult } from './whatIf.js'
