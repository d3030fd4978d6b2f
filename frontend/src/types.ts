// Short names for what the server's schema describes. schema.ts is generated from that (`npm run types`).
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type Config = Schemas["Config"];
export type Layer = Schemas["Layer"];
export type Output = Schemas["Output"];
export type Component = Schemas["Component"];
/** A JSON merge patch (RFC 7396) of the config. Lists are replaced whole. */
export type Patch = Schemas["Change"]["change"];

export type Catalogue = Schemas["Catalogue"];
export type Kind = Schemas["ComponentDescription"];
export type Parameter = Schemas["Parameter"];
export type FieldOfConfig = Schemas["ConfigField"];
export type Limits = Catalogue["limits"];

export type Text = Schemas["Text"];
export type Value = Text["values"][string];
type ProblemDocument = Schemas["ProblemDocument"];
/** A text beside other fields, with `detail` for the English; without a code where the page itself says it. */
export type Explained = Pick<ProblemDocument, "detail"> & Partial<Pick<ProblemDocument, "code" | "values">>;
/** A problem document, or what the page itself finds wrong. */
export type Failure = Explained &
  Pick<ProblemDocument, "status" | "title"> &
  Partial<Pick<ProblemDocument, "errors">>;

/** What a session can be taken home as. */
export type ExportFormat = paths["/api/sessions/{id}/export/{format}"]["get"]["parameters"]["path"]["format"];
export type KeptRun = Schemas["RunSummary"];
/** With its config and changes. */
export type WholeRun = Schemas["RunShape"];
export type RunHistory = Schemas["HistoryShape"];
export type Summary = Schemas["Summary"];
export type WeightState = Schemas["WeightState"];
export type ScoreCurves = Schemas["ScoreCurves"];
export type CurvesOfPoints = Schemas["CurvesOfPoints"];
export type CurvesOfClass = Schemas["CurvesOfClass"];
export type Task = Schemas["TaskDescription"];
export type Speed = Schemas["Speed"];
export type Divergence = Schemas["Divergence"];
export type Moment = Schemas["Moment"];
export type Parent = Schemas["Parent"];
export type NewBranch = Partial<Schemas["NewBranch"]>;
export type RunState = Schemas["SessionState"];
export type Axes = Schemas["Axes"];
export type Entry = Schemas["TimelineEntry"];
export type WeightEdit = Schemas["OneWeight"];

export type Event = Schemas["Event"];
export type Role = Schemas["Hello"]["role"];
type WithoutId<Message> = Message extends unknown ? Omit<Message, "id"> : never;
/** A message to the server, before it is sent with an id. */
export type Command = WithoutId<Schemas["ViewerMessage"]>;

export type LayerSize = Schemas["LayerSize"];
export type ArrayHeader = Schemas["ArrayHeader"];
export type FrameHeader = Schemas["FrameHeader"];
export type DataHeader = Schemas["DataHeader"];
export type AxisHeader = Schemas["AxisHeader"];
export type MetricsHeader = Schemas["MetricsHeader"];

/** All but the defaults. */
export type NewSession = Partial<Omit<Schemas["NewSession"], "config">> & { config: Patch | Config };
export type NewSweep = Partial<Omit<Schemas["SweepSpec"], "config">> & { config: Patch | Config };
export type Sweep = Schemas["SweepShape"];
export type SweepAxis = Sweep["space"][string];
/** Of each trial that is over, by number and column. */
export type SweepCurves = Record<
  string,
  Record<string, Record<"median" | "low" | "high", (number | null)[]>>
>;
export type Trial = Schemas["TrialShape"];
export type NewMap = Partial<Omit<Schemas["NewMap"], "config">> & { config: Patch | Config };
export type CreatedSession = Schemas["CreatedSession"];
export type FormulaDescription = Schemas["FormulaDescription"];
export type FormulaTree = FormulaDescription["tree"];
export type ImportedExperiment = Schemas["ImportedExperiment"];
export type Preview = Schemas["Preview"];
export type Table = Schemas["TableDescription"];
export type UploadedTable = Schemas["UploadedTable"];
