export { CalendarError } from './errors.js'
export { readCalendar } from './icalendar.js'
export { MaintenancePlanner } from './planner.js'
export { windowsOf } from './recurrence.js'
