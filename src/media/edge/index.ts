export { createEdge, type Edge, type EdgeOptions } from './edge.js'
export { factMessage, type PublishFact } from './facts.js'
export { createNoticeBoard, type NoticeBoard, type NoticeBoardOptions, type PostedNotice } from './noticeBoard.js'
