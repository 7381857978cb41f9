// The command line of the benchmark suite: what it understands, and what it says to a mistake.
import { describe, expect, it } from 'vitest'
import { OptionError, readOptions } from '../../../bench/suite/options.js'

const KNOWN = ['produce', 'fetch', 'start']
const sentence = (...args: string[]) => {
  try {
    readOptions(args, KNOWN)
  } catch (error) {
    if (error instanceof OptionError) return error.message
    throw error
  }
  return undefined
}

describe('the command line of the suite', () => {
  it('runs every part seven times on Millrace alone unless told otherwise', () => {
    const { parts, rounds, kafka, aa, quick } = readOptions([], KNOWN)
    expect({ parts, rounds, kafka, aa, quick }).toEqual({
      parts: KNOWN,
      rounds: 7,
      kafka: false,
      aa: false,
      quick: false,
    })
  })

  it('keeps the order of the suite, whatever order parts are named in', () => {
    expect(readOptions(['--parts', 'start,produce'], KNOWN).parts).toEqual(['produce', 'start'])
  })

  it('takes Kafka with and without a folder of jars', () => {
    expect(readOptions(['--kafka', '--aa'], KNOWN)).toMatchObject({ kafka: true, aa: true })
    expect(readOptions(['--kafka', '/opt/libs'], KNOWN).kafka).toBe('/opt/libs')
  })

  it('is one round when quick, or as many as asked for', () => {
    expect(readOptions(['--quick'], KNOWN).rounds).toBe(1)
    expect(readOptions(['--quick', '--rounds', '3'], KNOWN).rounds).toBe(3)
  })

  it('adds rounds to a report that is named', () => {
    expect(readOptions(['--add', '--out', 'there'], KNOWN)).toMatchObject({ add: true, out: 'there' })
    expect(sentence('--add')).toMatch(/--add: name the report .* with --out/)
  })

  it('names what is wrong', () => {
    expect(sentence('--parts', 'produce,porduce')).toMatch(
      /--parts: no part porduce; there are produce, fetch/,
    )
    expect(sentence('--rounds', '0')).toMatch(/--rounds.*a whole number from 1 on/)
    expect(sentence('--rounds', 'many')).toMatch(/--rounds.*many/)
    expect(sentence('--gib', '2')).toMatch(/unknown option '--gib'/)
    expect(sentence('produce')).toMatch(/produce/)
    expect(sentence('--parts')).toMatch(/argument missing/)
  })
})
