import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ClearedScopes } from './cleared-scopes.ts'

test('knows of each key the latest clear of a scope that it begins with', () => {
  const scope = fc.string({ unit: fc.constantFrom('a', 'b', ':'), maxLength: 4 })
  const step = fc.record({
    scope,
    version: fc.integer({ min: 1, max: 9 }),
    kind: fc.constantFrom('add', 'add', 'delete', 'clear'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.array(scope), (steps, keys) => {
      const scopes = new ClearedScopes()
      const model = new Map<string, number>()
      for (const { scope, version, kind } of steps) {
        if (kind === 'add') {
          scopes.add(scope, version)
          model.set(scope, Math.max(version, model.get(scope) ?? 0))
        } else if (kind === 'delete') {
          scopes.delete(scope)
          model.delete(scope)
        } else if (version === 1) {
          scopes.clear()
          model.clear()
        }
      }
      expect(new Map(scopes)).toEqual(model)
      expect(scopes.size).toBe(model.size)
      for (const key of keys) {
        const latest = Math.max(
          0,
          ...[...model].filter(([begins]) => key.startsWith(begins)).map(([, v]) => v),
        )
        expect(scopes.versionOf(key)).toBe(latest)
        for (const version of [0, 3, 9]) expect(scopes.isLater(key, version)).toBe(version < latest)
      }
    }),
  )
})
