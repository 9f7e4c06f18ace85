import type { Trees } from './tree.js'

/**
 * What is wrong with trees that were read from somewhere; null: every vector finds its leaves. Children stand behind their
 * node, so that no way down leads in a circle.
 */
export function faultOfTrees({ roots, feature, threshold, child, value }: Trees, columns: number): string | null {
  const nodes = feature.length
  if (threshold.length !== nodes || child.length !== nodes || value.length !== nodes) {
    const lengths = [feature, threshold, child, value].map(({ length }) => length).join(', ')
    return `features, thresholds, children and values must be as many: there are ${lengths}`
  }
  const lost = roots.findIndex((root) => root >= nodes)
  if (lost !== -1) return `root ${lost} is node ${roots[lost]}, of ${nodes}`
  for (let node = 0; node < nodes; node += 1) {
    const split = feature[node] ?? -1
    if (split >= columns) return `node ${node} looks at column ${split}, of ${columns}`
    const left = child[node] ?? 0
    if (split >= 0 && (left <= node || left + 1 >= nodes)) return `node ${node} leads to node ${left}, of ${nodes}`
  }
  return null
}
