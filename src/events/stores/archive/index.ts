/**
 * Archives of the log: stretches of media servers' streams that were written to Parquet files and cut off the log. An archive
 * is a description and its files, one for each table, in folders by table; the description's hash is in the signed cuts.
 */
export { archivedBeginnings, type ArchivedBeginning } from './archivedParts.js'
export { withArchive } from './archivedLog.js'
export { eventsInFile, eventsPerGroup, rowOfEvent, type EventRow } from './eventRows.js'
export { archivesIn, descriptionPath, fileSha256, readArchive, type Archive } from './folder.js'
export * from './records.js'
