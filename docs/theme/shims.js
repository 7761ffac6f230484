// What the generator's script needs to search in a folder, and within the policy of /docs/guide.
"use strict";

// The policy admits no style element: the one that search puts into its shadow root becomes a constructed sheet.
const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (options) {
  const root = attach.call(this, options);
  const append = root.appendChild;
  root.appendChild = (node) => {
    if (node.localName !== "style") return append.call(root, node);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(node.textContent);
    root.adoptedStyleSheets.push(sheet);
    return node;
  };
  return root;
};

// Served by the product, it has a way back to the product's pages; a folder has none.
const [below, ...rest] = location.pathname.split("/docs/guide/");
if (location.protocol !== "file:" && rest.length) {
  addEventListener("DOMContentLoaded", () => {
    const back = document.createElement("a");
    back.className = "back";
    back.href = `${below}/`;
    back.textContent = "\u2190 This server";
    document.querySelector(".md-header__title").after(back);
  });
}

// In a folder (file:) browsers start no Worker. Search then runs in a hidden frame that is spoken to as one.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(url) {
      const { port1, port2 } = new MessageChannel();
      this.port = port1;
      port1.onmessage = (event) => this.onmessage?.(event);

      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inside = this.frame.contentWindow;
      inside.postMessage = (data) => port2.postMessage(data);

      const script = inside.document.createElement("script");
      script.src = new URL(url, document.baseURI);
      script.onerror = (event) => this.onerror?.(event);
      // Until its script has run, the port keeps what was sent.
      script.onload = () => {
        port2.onmessage = ({ data }) => inside.dispatchEvent(new inside.MessageEvent("message", { data }));
      };
      inside.document.body.append(script);
    }

    postMessage(data) {
      this.port.postMessage(data);
    }

    terminate() {
      this.port.close();
      this.frame.remove();
    }
  };
}
