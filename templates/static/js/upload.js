// Uploads files and folders by tus (vendor/tus.min.js): several at a time, with progress, pause, and going on where
// it stopped after a lost line, a reload or a restart of the server, when the same file is chosen again.
// Without this script the form sends all files at once.
const form = document.querySelector("form[data-record]");
if (form && window.tus?.isSupported) {
  const text = form.dataset;
  const list = document.querySelector("#progress");
  const sum = document.querySelector("#progress-sum");
  const said = document.querySelector("#progress-said");
  const folder = document.querySelector("#folder");
  const AT_ONCE = 3;
  // More rows than this help nobody; those that are done make room.
  const ROWS = 100;
  const queue = [];
  const failed = new Set();
  let running = 0;
  let all = 0;
  let done = 0;

  const element = (name, content = "") => {
    const made = document.createElement(name);
    made.textContent = content;
    return made;
  };

  const button = (content, name, press) => {
    const made = element("button", content);
    made.type = "button";
    made.className = "btn slim";
    const whose = element("span", ` ${name}`);
    whose.className = "vh";
    made.append(whose);
    made.addEventListener("click", press);
    return made;
  };

  const count = () => {
    sum.textContent = all ? `${done} / ${all}` : "";
  };

  // What the server said, in the reader's language; without an answer, that the line is gone.
  const reason = (error) => {
    const answer = error.originalResponse?.getBody();
    if (!answer) return text.lost;
    try {
      const { message, errors } = JSON.parse(answer);
      return errors?.[0]?.messages?.[0] ?? message ?? text.failed;
    } catch {
      return text.failed;
    }
  };

  function show(job) {
    job.row = element("li");
    job.row.className = "uploading";
    job.state = element("span", text.waiting);
    job.bar = element("progress");
    job.bar.value = 0;
    job.bar.setAttribute("aria-label", job.key);
    job.pause = button(text.pause, job.key, () => (job.paused ? go(job) : halt(job)));
    job.cancel = button(text.cancel, job.key, () => drop(job));
    const buttons = element("span");
    buttons.append(job.pause, " ", job.cancel);
    const name = element("span", job.key);
    name.className = "break";
    job.row.append(name, job.state, job.bar, buttons);
    list.append(job.row);
  }

  const label = (job, content) => {
    job.pause.firstChild.data = content;
  };

  const tell = (job, content) => {
    job.state.textContent = content;
    said.textContent = `${job.key}: ${content}`;
  };

  function begin(job) {
    const { file, key } = job;
    show(job);
    job.upload = new tus.Upload(file, {
      endpoint: text.upload,
      // The browser sends the session's cookie; this proves that the call is the page's own.
      headers: { "X-CSRFToken": form.elements.csrf_token.value, "Accept-Language": document.documentElement.lang },
      metadata: { record: text.record, key, filetype: file.type || "application/octet-stream" },
      fingerprint: async () => ["kho", text.record, key, file.size, file.lastModified].join("|"),
      removeFingerprintOnSuccess: true,
      retryDelays: [0, 1000, 3000, 5000, 10000, 20000, 30000, 60000, 60000, 60000],
      onProgress: (sent, total) => {
        job.bar.value = total ? sent / total : 1;
        job.state.textContent = `${Math.floor(job.bar.value * 100)} %`;
      },
      onSuccess: () => {
        done++;
        job.bar.value = 1;
        tell(job, text.done);
        job.pause.remove();
        job.cancel.remove();
        if (all > ROWS) job.row.remove();
        ended(job);
      },
      onError: (error) => {
        tell(job, `${text.failed} ${reason(error)}`);
        label(job, text.retry);
        job.paused = true;
        failed.add(job);
        ended(job);
      },
    });
    go(job);
  }

  async function go(job) {
    job.paused = false;
    failed.delete(job);
    label(job, text.pause);
    if (!job.counted) {
      job.counted = true;
      running++;
    }
    const before = await job.upload.findPreviousUploads();
    if (before.length && !job.upload.url) job.upload.resumeFromPreviousUpload(before[0]);
    if (!job.paused) job.upload.start();
  }

  function halt(job) {
    job.paused = true;
    job.upload.abort();
    label(job, text.resume);
    tell(job, text.paused);
    ended(job);
  }

  async function drop(job) {
    job.paused = true;
    failed.delete(job);
    all--;
    job.row.remove();
    // The server forgets what came; when it cannot be reached, it does so by itself in time.
    await job.upload.abort(true).catch(() => {});
    ended(job);
  }

  function ended(job) {
    if (job.counted) {
      job.counted = false;
      running--;
    }
    count();
    while (running < AT_ONCE && queue.length) begin(queue.shift());
    if (!running && !queue.length && done === all && done) {
      said.textContent = text.done;
      location.reload();
    }
  }

  function add(files) {
    for (const [file, path] of files) {
      // As the server writes names: letters with their marks in one piece.
      queue.push({ file, key: path.replace(/^\/+/, "").normalize("NFC") });
      all++;
    }
    count();
    while (running < AT_ONCE && queue.length) begin(queue.shift());
  }

  // A folder that was dropped, file by file, whatever its depth. Readers give a hundred names at a time.
  async function* within(entry) {
    if (entry.isFile) {
      yield [await new Promise((found, lost) => entry.file(found, lost)), entry.fullPath];
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((found, lost) => reader.readEntries(found, lost));
      if (!some.length) return;
      for (const below of some) yield* within(below);
    }
  }

  form.addEventListener("submit", (event) => {
    const chosen = [form.elements.file, folder].flatMap((input) => [...input.files]);
    if (!chosen.length) return;
    event.preventDefault();
    add(chosen.map((file) => [file, file.webkitRelativePath || file.name]));
    form.elements.file.value = folder.value = "";
  });

  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", async (event) => {
    event.preventDefault();
    form.classList.remove("over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
    for (const entry of entries) {
      try {
        for await (const found of within(entry)) add([found]);
      } catch {
        said.textContent = sum.textContent = `${entry.name}: ${text.failed}`;
      }
    }
  });

  addEventListener("online", () => {
    for (const job of [...failed]) go(job);
  });
  addEventListener("beforeunload", (event) => {
    if (running) event.preventDefault();
  });
  for (const only of form.querySelectorAll("[data-script]")) only.hidden = false;
}
