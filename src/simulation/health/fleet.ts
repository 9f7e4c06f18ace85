import { serverSeries, type FleetOptions, type FleetWeather, type Random, type ServerSeries } from './server.js'

/** Load peaks and slow networks that the whole fleet feels: about one each a day, for 10 to 60 minutes. */
const weatherOf = (random: Random, hours: number): FleetWeather => {
  const spells = (most: number): ReadonlyArray<{ at: number; seconds: number; factor: number }> =>
    Array.from({ length: Math.max(1, Math.round(hours / 24)) }, () => ({
      at: random() * hours * 3_600,
      seconds: 600 + random() * 3_000,
      factor: 1 + random() * most,
    }))
  const factorAt =
    (list: ReturnType<typeof spells>) =>
    (at: number): number => {
      let factor = 1
      // A smooth hump, so that nobody sees an edge.
      for (const spell of list) {
        const way = (at - spell.at) / spell.seconds
        if (way > 0 && way < 1) factor *= 1 + (spell.factor - 1) * Math.sin(Math.PI * way) ** 2
      }
      return factor
    }
  return { load: factorAt(spells(0.6)), delay: factorAt(spells(0.5)) }
}

/** A fleet's telemetry: the same random numbers, the same fleet. */
export const fleetSeries = (random: Random, servers: number, options: FleetOptions): ReadonlyArray<ServerSeries> => {
  const weather = weatherOf(random, options.calibrationHours + options.testHours)
  return Array.from({ length: servers }, () => serverSeries(random, weather, options))
}
