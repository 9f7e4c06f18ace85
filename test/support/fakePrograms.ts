import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of small programs, to be put on a PATH of its own. */
export interface FakePrograms {
  readonly folder: string
  /** Adds a program that prints `stdout` and `stderr` and exits with `code`. Answers its path. */
  readonly add: (name: string, behaviour: FakeBehaviour) => Promise<string>
  readonly remove: () => Promise<void>
}

export interface FakeBehaviour {
  readonly stdout?: string
  readonly stderr?: string
  readonly code?: number
  /** Shell commands to run before anything is printed. */
  readonly first?: string
}

/** Makes an empty folder for programs that behave as a test needs them to. */
export async function fakePrograms(): Promise<FakePrograms> {
  const folder = await mkdtemp(join(tmpdir(), 'segue-programs-'))
  return {
    folder,
    add: async (name, { stdout = '', stderr = '', code = 0, first = ':' }) => {
      const path = join(folder, name)
      const text = (words: string) => `'${words.replaceAll("'", `'\\''`)}'`
      // printf is part of the shell, so the program needs no PATH.
      const lines = [`#!/bin/sh`, first, `printf %s ${text(stdout)}`, `printf %s ${text(stderr)} >&2`, `exit ${code}`]
      await writeFile(path, `${lines.join('\n')}\n`)
      await chmod(path, 0o755)
      return path
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** What ffmpeg answers to `-encoders`, with the given encoders in its list. */
export function ffmpegAnswer(...encoders: ReadonlyArray<string>): FakeBehaviour {
  return {
    stdout: [
      'Encoders:',
      ' V..... = Video',
      ' ------',
      ...encoders.map((name) => ` V....D ${name}   Something`),
      '',
    ].join('\n'),
    stderr: 'ffmpeg version 9.9-test Copyright (c) 2000-2030 the FFmpeg developers\n',
  }
}
