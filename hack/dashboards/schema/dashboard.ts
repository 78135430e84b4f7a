// What a dashboard of ours may hold: Grafana's own types, narrowed to the panels that are used here, whose options and
// field options Grafana's type of a dashboard leaves open, and to queries of Prometheus.
import * as g from './node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen';
import * as bargauge from './node_modules/@grafana/schema/dist/types/raw/composable/bargauge/panelcfg/x/types.gen';
import * as stat from './node_modules/@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import * as statetimeline from './node_modules/@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/types.gen';
import * as table from './node_modules/@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import * as text from './node_modules/@grafana/schema/dist/types/raw/composable/text/panelcfg/x/types.gen';
import * as timeseries from './node_modules/@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';

interface DataLink { title: string; url: string; targetBlank: boolean }

interface Query {
  datasource: g.DataSourceRef;
  refId: string;
  expr: string;
  legendFormat?: string;
  format?: 'time_series' | 'table';
  instant?: boolean;
  range?: boolean;
}

interface Fields<Custom> {
  defaults: Omit<g.FieldConfig, 'custom' | 'links'> & { custom?: Partial<Custom>; links?: DataLink[] };
  overrides: { matcher: g.MatcherConfig; properties: { id: string; value?: unknown }[] }[];
}

interface Panel<Type extends string, Options, Custom> {
  id: number;
  type: Type;
  title: string;
  description: string;
  datasource: g.DataSourceRef;
  gridPos: g.GridPos;
  targets: Query[];
  options: Options;
  fieldConfig: Fields<Custom>;
  transformations?: g.DataTransformerConfig[];
  links?: g.DashboardLink[];
  interval?: string;
  repeat?: string;
  repeatDirection?: 'h' | 'v';
  maxPerRow?: number;
}

interface Text { id: number; type: 'text'; title: string; gridPos: g.GridPos; options: text.Options }

type AnyPanel =
  | Panel<'bargauge', bargauge.Options, {}>
  | Panel<'stat', stat.Options, {}>
  | Panel<'state-timeline', statetimeline.Options, statetimeline.FieldConfig>
  | Panel<'table', table.Options, table.FieldConfig>
  | Panel<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | Text;

interface Row { id: number; type: 'row'; title: string; collapsed: false; gridPos: g.GridPos; panels: [] }

export type ShippedDashboard = Omit<g.Dashboard, 'panels' | 'id' | 'version' | 'snapshot' | 'gnetId'> & {
  uid: string;
  title: string;
  description: string;
  panels: (AnyPanel | Row)[];
};
