export { openSnapshots, snapshotsPath, type SnapshotFile } from './snapshotFile.js'
