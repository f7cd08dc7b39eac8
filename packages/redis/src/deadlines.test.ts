import { type Clock, ManualClock } from '@cache/core'
import { expect, test } from 'vitest'
import { Deadlines, type Waiting } from './deadlines.ts'

/** The late ones are told in an immediate. */
const told = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

function setup(clock: ManualClock | Clock = new ManualClock()) {
  const late: string[] = []
  const idle: string[] = []
  const deadlines = new Deadlines(clock, 100, () => idle.push('idle'))
  const wait = (name: string): Waiting => {
    const waiting = { since: 0, late: () => late.push(name) }
    deadlines.add(waiting)
    return waiting
  }
  return { deadlines, late, idle, wait }
}

test('everyone is late at his own time, however many wait', async () => {
  const clock = new ManualClock()
  const { late, wait } = setup(clock)
  wait('first')
  wait('with the first')
  clock.advance(30)
  wait('second')
  clock.advance(69)
  await told()
  expect(late).toEqual([])
  clock.advance(1)
  await told()
  expect(late).toEqual(['first', 'with the first'])
  clock.advance(29)
  await told()
  expect(late).toHaveLength(2)
  clock.advance(1)
  await told()
  expect(late).toEqual(['first', 'with the first', 'second'])
})

test('one that is done is not late, and those behind it are no earlier for that', async () => {
  const clock = new ManualClock()
  const { deadlines, late, wait } = setup(clock)
  const done = wait('done')
  clock.advance(60)
  wait('next')
  expect([deadlines.delete(done), deadlines.delete(done)]).toEqual([true, false])
  clock.advance(99)
  await told()
  expect(late).toEqual([])
  clock.advance(1)
  await told()
  expect(late).toEqual(['next'])
})

test('one that is done after its time, but before anyone looked, is not late', async () => {
  const clock = new ManualClock()
  const { deadlines, late, wait } = setup(clock)
  const answered = wait('answered')
  wait('not answered')
  clock.advance(100)
  deadlines.delete(answered)
  await told()
  expect(late).toEqual(['not answered'])
})

test('several that fall due in one turn of the clock are all late', async () => {
  const clock = new ManualClock()
  const { late, wait } = setup(clock)
  wait('first')
  clock.advance(10)
  wait('second')
  clock.advance(1_000)
  await told()
  expect(late).toEqual(['first', 'second'])
})

test.each([-3_600_000, 3_600_000])(
  'a clock set by %i ms makes nobody late early, or wait for ever',
  async by => {
    const timers = new ManualClock()
    let offset = 0
    const { late, wait } = setup({
      now: () => timers.now() + offset,
      setTimeout: (fn, ms) => timers.setTimeout(fn, ms),
      clearTimeout: handle => timers.clearTimeout(handle),
    })
    wait('before')
    timers.advance(50)
    offset = by
    wait('after')
    timers.advance(50)
    await told()
    expect(late).toEqual(['before'])
    timers.advance(49)
    await told()
    expect(late).toEqual(['before'])
    timers.advance(51)
    await told()
    expect(late).toEqual(['before', 'after'])
  },
)

test('there is one timer for all, none is left over, and whoever keeps them hears of it', async () => {
  const clock = new ManualClock()
  const { deadlines, idle, wait } = setup(clock)
  const all = Array.from({ length: 1_000 }, (_, i) => wait(`${i}`))
  expect(clock.pending).toBe(1)
  for (const waiting of all) deadlines.delete(waiting)
  expect(idle).toEqual([])
  clock.advance(100)
  await told()
  expect([clock.pending, idle.length]).toEqual([0, 1])
  wait('again')
  clock.advance(100)
  await told()
  expect([clock.pending, idle.length]).toEqual([0, 2])
})

test('its timer keeps no process alive', () => {
  let unrefs = 0
  const { wait } = setup({
    now: () => 0,
    setTimeout: () => ({ unref: () => unrefs++ }),
    clearTimeout: () => {},
  })
  wait('one')
  expect(unrefs).toBe(1)
})
