export type { RecordedAppend } from './actors.js'
export { recordChapter, type ChapterOptions } from './chapter.js'
export { recordInto, recording, type Recorded, type RecordingOptions } from './recording.js'
