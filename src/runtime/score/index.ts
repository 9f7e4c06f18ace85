export { ScoreUnknown, serverScore, type GroupPart, type ServerScore } from './serverScore.js'
