import {
  type Dashboard,
  DashboardCursorSync,
  type Panel,
  type RowPanel,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from '@grafana/schema'
import { ROWS } from './rows.ts'

/** Grafana's grid. */
const COLUMNS = 24
const WIDTH = 8
const HEIGHT = 8

const DATASOURCE: VariableModel = {
  type: 'datasource',
  name: 'datasource',
  label: 'Data source',
  query: 'prometheus',
}

/** The dashboard as Grafana imports it. */
export const dashboard: Dashboard = {
  id: null,
  uid: 'cache-overview',
  title: 'Cache',
  description: 'Caches of @cache: traffic, latency, remote, coherence, memory, compression and warm-up.',
  tags: ['cache'],
  schemaVersion: 41,
  editable: true,
  graphTooltip: DashboardCursorSync.Crosshair,
  refresh: '30s',
  time: { from: 'now-1h', to: 'now' },
  templating: {
    list: [
      DATASOURCE,
      choice('job', 'Job', 'label_values(cache_requests_total, job)'),
      choice('cache', 'Cache', 'label_values(cache_requests_total{job=~"$job"}, cache)'),
    ],
  },
  panels: laidOut(),
}

function choice(name: string, label: string, query: string): VariableModel {
  return {
    type: 'query',
    name,
    label,
    datasource: { type: 'prometheus', uid: '$datasource' },
    query: { query, refId: name },
    refresh: VariableRefresh.onTimeRangeChanged,
    sort: VariableSort.alphabeticalAsc,
    multi: true,
    includeAll: true,
    // Not the list of all: with many jobs it would be as long as a query may be.
    allValue: '.+',
    current: { text: ['All'], value: ['$__all'] },
  }
}

/** Rows one below the other, three panels side by side. */
function laidOut(): (Panel | RowPanel)[] {
  const all: (Panel | RowPanel)[] = []
  let y = 0
  for (const { title, panels } of ROWS) {
    all.push({
      type: 'row',
      id: all.length + 1,
      title,
      collapsed: false,
      panels: [],
      gridPos: { h: 1, w: COLUMNS, x: 0, y },
    })
    y++
    for (const [index, panel] of panels.entries()) {
      const x = (index * WIDTH) % COLUMNS
      if (index > 0 && x === 0) y += HEIGHT
      all.push({ ...panel, id: all.length + 1, gridPos: { h: HEIGHT, w: WIDTH, x, y } })
    }
    y += HEIGHT
  }
  return all
}
