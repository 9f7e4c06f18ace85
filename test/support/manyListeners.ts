import { setMaxListeners } from 'node:events'

// As the `segue` command does: a viewer's session asks many servers at once, all with one signal, and that is no leak.
setMaxListeners(100)
