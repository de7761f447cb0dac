// Uploads the chosen files one after the other through the API, with progress in words and as a bar,
// and a button to try a failed one again. Without this script the form sends them all at once.
// The three calls are those of the REST dialect: name the file, send its bytes, commit.
const form = document.querySelector("form[data-upload]");
if (form) {
  const { upload, waiting, done, failed, retry } = form.dataset;
  const token = form.elements.csrf_token.value;
  const list = document.querySelector("#progress");
  const said = document.querySelector("#progress-said");
  const queue = [];
  let busy = false;
  let broken = 0;

  const call = (method, url, body, onprogress) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, url);
      request.setRequestHeader("X-CSRFToken", token);
      request.setRequestHeader("Accept-Language", document.documentElement.lang);
      if (!(body instanceof File)) request.setRequestHeader("Content-Type", "application/json");
      else request.setRequestHeader("Content-Type", "application/octet-stream");
      if (onprogress) request.upload.onprogress = onprogress;
      request.onload = () => {
        if (request.status < 300) return resolve();
        let message = request.statusText;
        try {
          message = JSON.parse(request.responseText).message || message;
        } catch {}
        reject(Object.assign(new Error(message), { status: request.status }));
      };
      request.onerror = () => reject(new Error(""));
      request.send(body);
    });

  async function send({ file, key, state, bar }) {
    const url = `${upload}/${key.split("/").map(encodeURIComponent).join("/")}`;
    try {
      // A file of that name from an earlier try is named already; its bytes are replaced.
      await call("POST", upload, JSON.stringify([{ key }])).catch((e) => {
        if (e.status !== 400 && e.status !== 409) throw e;
      });
      await call("PUT", `${url}/content`, file, (e) => {
        bar.value = e.loaded / (e.total || 1);
        state.textContent = `${Math.floor(bar.value * 100)} %`;
      });
      await call("POST", `${url}/commit`);
      bar.value = 1;
      said.textContent = `${file.name}: ${(state.textContent = done)}`;
      return true;
    } catch (e) {
      state.textContent = `${failed} ${e.message}`;
      said.textContent = `${file.name}: ${state.textContent}`;
      return false;
    }
  }

  async function run() {
    if (busy) return;
    busy = true;
    for (let job; (job = queue.shift()); ) {
      if (!(await send(job))) {
        broken++;
        const again = document.createElement("button");
        again.type = "button";
        again.className = "btn slim";
        again.textContent = retry;
        again.onclick = () => {
          broken--;
          again.remove();
          queue.push(job);
          run();
        };
        job.row.append(again);
      }
    }
    busy = false;
    if (!broken) location.reload();
  }

  form.addEventListener("submit", (event) => {
    const files = [...form.elements.file.files];
    if (!files.length) return;
    event.preventDefault();
    for (const file of files) {
      const row = document.createElement("li");
      row.className = "uploading";
      const name = document.createElement("span");
      name.textContent = file.name;
      const state = document.createElement("span");
      state.textContent = waiting;
      const bar = document.createElement("progress");
      bar.setAttribute("aria-label", file.name);
      bar.value = 0;
      row.append(name, state, bar);
      list.append(row);
      queue.push({ file, key: file.webkitRelativePath || file.name, state, bar, row });
    }
    form.elements.file.value = "";
    run();
  });

  addEventListener("beforeunload", (event) => {
    if (busy) event.preventDefault();
  });
}
