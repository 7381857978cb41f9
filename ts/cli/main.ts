#!/usr/bin/env node
/**
 * The entry of the command line: hears signals from the first moment on, and loads the program: bundled into one file
 * where the build left such, as loading some hundred takes longer than everything else in a start. Decides nothing.
 */
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundledProgram, exportsOf, scriptOf } from './bundle.js'
import { stopEarly, stopEarlyNoMore } from './early-stop.js'

if (process.argv[2] === 'start') stopEarly()

// Not before: a signal may come while everything else is loaded.
const bundled = bundledProgram(dirname(fileURLToPath(import.meta.url)))
const { run } = (
  bundled === null ? await import('./program.js') : exportsOf(scriptOf(bundled), bundled)
) as typeof import('./program.js')

await run(stopEarlyNoMore)
