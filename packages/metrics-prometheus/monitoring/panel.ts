import {
  AxisPlacement,
  type FieldConfigSource,
  GraphDrawStyle,
  GraphGradientMode,
  LegendDisplayMode,
  LineInterpolation,
  type Panel,
  SortOrder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
} from '@grafana/schema'
import type {
  FieldConfig as StateFields,
  Options as StateOptions,
} from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen'
import type {
  FieldConfig as GraphFields,
  Options as GraphOptions,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen'

/** A question to Prometheus, and what its answers are called: a template over labels. */
export type Target = readonly [query: string, legend: string]

export interface Graph {
  readonly title: string
  readonly description: string
  /** Of Grafana: `reqps`, `percentunit`, `s`, `bytes`, `short`. */
  readonly unit: string
  readonly targets: readonly Target[]
  readonly isStacked?: boolean
  readonly max?: number
}

/** A graph over time. */
export function graph({ title, description, unit, targets, isStacked = false, max }: Graph): Panel {
  const custom: GraphFields = {
    axisPlacement: AxisPlacement.Auto,
    drawStyle: GraphDrawStyle.Line,
    fillOpacity: isStacked ? 30 : 10,
    gradientMode: GraphGradientMode.None,
    lineInterpolation: LineInterpolation.Linear,
    lineWidth: 1,
    stacking: { group: 'A', mode: isStacked ? StackingMode.Normal : StackingMode.None },
  }
  const fieldConfig: FieldConfigSource<GraphFields> = {
    defaults: {
      unit,
      min: 0,
      ...(max !== undefined && { max }),
      custom: custom as GraphFields & Record<string, unknown>,
    },
    overrides: [],
  }
  const options: GraphOptions = {
    legend: {
      calcs: ['lastNotNull', 'max'],
      displayMode: LegendDisplayMode.Table,
      placement: 'bottom',
      showLegend: true,
    },
    tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
  }
  return panelOf('timeseries', title, description, targets, { fieldConfig, options })
}

/** A band for each series that is 1, over time: which of several states it is. */
export function states(title: string, description: string, targets: readonly Target[]): Panel {
  const custom: StateFields = { fillOpacity: 70, lineWidth: 0 }
  const fieldConfig: FieldConfigSource<StateFields> = {
    defaults: {
      custom: custom as StateFields & Record<string, unknown>,
      noValue: 'none',
      min: 0,
      max: 1,
    },
    overrides: [],
  }
  const options: StateOptions = {
    mergeValues: true,
    rowHeight: 0.8,
    showValue: VisibilityMode.Auto,
    legend: { calcs: [], displayMode: LegendDisplayMode.List, placement: 'bottom', showLegend: false },
    tooltip: { mode: TooltipDisplayMode.Single, sort: SortOrder.None },
  }
  return panelOf('state-timeline', title, description, targets, { fieldConfig, options })
}

const DATASOURCE = { type: 'prometheus', uid: '$datasource' }

function panelOf(
  type: string,
  title: string,
  description: string,
  targets: readonly Target[],
  { fieldConfig, options }: { fieldConfig: FieldConfigSource<object>; options: object },
): Panel {
  return {
    type,
    title,
    description,
    datasource: DATASOURCE,
    targets: targets.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      editorMode: 'code',
      expr,
      legendFormat,
      range: true,
    })),
    fieldConfig: fieldConfig as NonNullable<Panel['fieldConfig']>,
    options: options as Record<string, unknown>,
  }
}
