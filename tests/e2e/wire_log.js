// Runs before the page's own code and notes what crosses its websocket, with the page's clock:
// frames as they are acknowledged (which the page does once they are painted) and changes as they are told.
(() => {
  const log = { painted: [], changes: [], inputs: [], sockets: [] };
  window.wireLog = log;
  const steps = new Map();
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...given) {
      super(...given);
      log.sockets.push(this);
      this.addEventListener('message', ({ data }) => {
        if (typeof data === 'string') {
          const event = JSON.parse(data);
          if (event.type === 'changed') log.changes.push({ at: performance.now(), step: event.entry.step });
          return;
        }
        const length = new DataView(data).getUint32(4, true);
        const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 8, length)));
        if (header.type === 'frame') steps.set(header.frame, { step: header.step, bytes: data.byteLength });
      });
    }
    send(text) {
      super.send(text);
      if (!text.startsWith('{"type":"ack"')) return;
      const { frame } = JSON.parse(text);
      log.painted.push({ at: performance.now(), frame, ...steps.get(frame) });
      for (const old of steps.keys()) if (old <= frame) steps.delete(old);
    }
  };
  for (const kind of ['click', 'change']) {
    document.addEventListener(kind, (event) => log.inputs.push(event.timeStamp), true);
  }
})();
