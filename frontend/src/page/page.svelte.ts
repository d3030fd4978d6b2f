// The state of the page, put together: each part holds one idea, and here they hear of what the server says.
// Only App, the panels and the top bar import it; what is below them takes props.
import * as api from "../api";
import { Flashes, luminances, REST_MS } from "../flashes";
import { deliver, forget, guard, onDrawn, onFrame } from "../frames";
import { explained, joined, t } from "../i18n";
import { decisionPicture, pictureOf, scaleOf } from "../maps";
import type { Event, ImportedExperiment } from "../types";
import { DataMessage, Frame, type Message, MetricsMessage } from "../wire";
import { Connection, type Position } from "./connection.svelte";
import { Experiment } from "./experiment.svelte";
import { Family } from "./family.svelte";
import { Hand } from "./hand.svelte";
import { Notices } from "./notices.svelte";
import { Readouts } from "./readouts.svelte";
import { sentence } from "./refusal";
import { Training } from "./training.svelte";
import { Undo } from "./undo.svelte";
import { View } from "./view.svelte";

class Page {
  readonly view = new View();
  readonly hand = new Hand();
  readonly notices = new Notices();
  readonly readouts = new Readouts();
  readonly connection: Connection = new Connection(
    {
      since: () => this.readouts.history.last,
      config: () => this.experiment.config,
      position: () => this.position(),
      messageBytes: () => this.experiment.catalogue?.limits.message_bytes ?? 0,
      event: (event) => this.onEvent(event),
      message: (message) => this.onMessage(message),
      forget: () => this.goTo(),
      faded: () => this.family.back(),
      imported: (found) => this.adopt(found),
      revived: () => this.goOn(),
      refusal: ({ failure }) => sentence(failure, this.experiment.config, this.experiment.catalogue),
    },
    this.notices,
  );
  readonly experiment: Experiment = new Experiment(
    {
      send: (command) => this.connection.send(command),
      change: (patch) => this.connection.change(patch),
    },
    this.notices,
  );
  readonly training = new Training((command) => this.experiment.command(command));
  readonly undo = new Undo(this.experiment, this.connection, this.notices);

  readonly family: Family = new Family(this.connection, this.experiment, this.readouts, this.notices);

  private readonly flashes = new Flashes(() => REST_MS[this.view.lessMotion ? "reduced" : "usual"]);
  /** Those that came last: the next frame's. */
  private metrics: MetricsMessage | null = null;
  /** Number of the run within the session, -1 before the first. */
  private run = -1;
  /** Of the session on its server, which may have been restarted. */
  private instance = "";

  /** What a key asked for before there was a connection. */
  private wished: (() => unknown) | null = null;

  /** Does it if this visitor may change the session; as soon as that is known, if it is not yet. */
  asHolder(run: () => unknown): void {
    if (this.connection.canChange) run();
    else if (this.run === -1) this.wished = run;
  }

  async start(): Promise<void> {
    this.view.start();
    onDrawn((frame) => this.connection.ack(frame.frame));
    onFrame((frame) => this.readouts.show(frame));
    guard((frame, now) => this.admits(frame, now));
    this.experiment.catalogue = await this.connection.reach(api.catalogue, () => true);
    await this.connection.start();
  }

  /** Where the session is, for a server that has forgotten it. */
  private position(): Position | null {
    const { run } = this.experiment;
    const most = this.experiment.catalogue?.limits.train_steps ?? 0;
    return run && this.readouts.step <= most ? { ...run, step: this.readouts.step } : null;
  }

  /** The server has made the session again, paused: it goes on as it did. The curves are the same. */
  private goOn(): void {
    const { playing, speed, held, axes } = this.training;
    this.run = -1;
    void this.training.setSlice(held, axes);
    if (speed) void this.training.setSpeed(speed);
    if (playing) void this.training.play();
  }

  /** An experiment of TensorFlow Playground is looked at as it is there. */
  private adopt({ notes, hide, show_test, discretise }: ImportedExperiment): void {
    this.view.showTest = show_test;
    this.view.discretise = discretise;
    this.view.hide(hide);
    if (notes.length) this.notices.toast(t("toast.imported", { notes: joined(notes, ". ") }));
    else this.notices.say(t("note.imported"));
  }

  /** Another session, of which the curves may be here. */
  private goTo(): void {
    this.clear();
    const known = this.family.take(this.connection.session);
    if (!known) return;
    this.readouts.history = known.history;
    this.run = known.run;
  }

  private clear(): void {
    this.readouts.clear();
    this.run = -1;
    forget();
  }

  private onEvent(event: Event): void {
    const { connection, experiment, training, notices } = this;
    switch (event.type) {
      case "hello":
        this.greet(event);
        break;
      case "changed":
        experiment.enter(event);
        this.family.changed();
        if (connection.role === "viewer" && event.entry.effect.length)
          notices.say(joined(event.entry.effect, " · "));
        connection.follow();
        break;
      case "state":
        training.adopt(event);
        this.undo.adopt(event);
        this.family.adopt(event);
        if (!this.readouts.now) this.readouts.place(event.step, event.epoch);
        break;
      case "run":
        this.clear();
        this.run = event.run;
        experiment.adopt(event);
        this.readouts.place(0, 0);
        connection.follow();
        break;
      case "role":
        connection.role = event.role;
        if (event.role === "holder") this.wished?.();
        this.wished = null;
        break;
      case "viewers":
        connection.viewers = event.count;
        break;
      case "notice":
        notices.say(explained(event));
        connection.stopping = event.code === "notice.shutdown";
        break;
      case "error":
        if (!event.id) notices.toast(explained(event) || event.title, "error");
        break;
    }
  }

  private greet(event: Extract<Event, { type: "hello" }>): void {
    const other = event.run !== this.run || event.instance !== this.instance;
    if (this.run !== -1 && other && this.readouts.history.last >= 0) {
      // Reset while this page was away, or of a server that lost its last steps: so it asks for everything.
      this.clear();
      this.connection.restart();
      return;
    }
    this.run = event.run;
    this.instance = event.instance;
    this.experiment.adopt(event);
    this.connection.role = event.role;
    this.connection.viewers = event.viewers;
    this.onEvent({ type: "state", ...event.state });
    this.connection.follow();
  }

  private onMessage(message: Message): void {
    if (message instanceof Frame) {
      message.metrics = this.metrics;
      deliver(message);
    } else if (message instanceof DataMessage) {
      this.experiment.show(message);
    } else if (message instanceof MetricsMessage) {
      if (message.current) this.metrics = message;
      else this.readouts.append(message);
    }
  }

  /** A large change of the maps may have to wait. */
  private admits(frame: Frame, now: number): boolean {
    const { view, experiment, readouts } = this;
    const { hovered } = view;
    const map = hovered && frame.neuronMap(hovered.layer, hovered.unit);
    const large = map ? pictureOf(map, view) : decisionPicture(frame, view, scaleOf(experiment.task));
    const small = frame.neuronMaps.map((each) => pictureOf(each, view));
    const admitted = this.flashes.admit([luminances(large ? [large] : []), luminances(small)], now);
    readouts.oscillates = this.flashes.oscillates(now);
    return admitted;
  }
}

export const page = new Page();
