// Lays out pages of lines at their places and keeps only those near the screen in the document.
//
// Heights of all pages are known before the lines are: the console tells how many rows each page takes; what is
// drawn is measured. A browser can't make an element as high as a million lines are: beyond MOST_PIXELS the scroll
// bar is scaled. Short ways are then still gone pixel by pixel, and only long ones (dragging the bar) by proportion.
const ROW_PIXELS = 20, PAGE_LINES = 100;
const MOST_PIXELS = 8_000_000, EDGE_PIXELS = 100_000, SPARE_PIXELS = 600, REST_MILLISECONDS = 200;

class Scroller {
  constructor(box, pad, page) {
    Object.assign(this, { box, pad, page, rows: [], measured: new Map(), tops: [0], drawn: new Map(), top: 0, last: 0, moved: () => {} });
    box.addEventListener("scroll", () => this.scrolled(), { passive: true });
  }

  get height() { return this.tops.at(-1); }
  get seen() { return this.box.clientHeight; }
  get physical() { return Math.min(this.height, MOST_PIXELS); }
  get isScaled() { return this.height > MOST_PIXELS; }
  get atEnd() { return this.top + this.seen >= this.height - 4; }

  // `rows` of the screen that each page takes, from the page `first` on.
  setRows(first, rows) {
    this.rows.length = Math.min(first, this.rows.length);
    for (const count of rows) this.rows.push(count);
    for (const page of [...this.measured.keys()]) if (page >= first) this.measured.delete(page);
    for (const [page, element] of [...this.drawn]) if (page >= this.rows.length) this.remove(page, element);
    this.place();
  }

  place() {
    const tops = [0];
    for (let page = 0; page < this.rows.length; page += 1) {
      tops.push(tops[page] + (this.measured.get(page) ?? this.rows[page] * ROW_PIXELS));
    }
    this.tops = tops;
    this.pad.style.height = `${this.physical}px`;
    this.top = Math.max(0, Math.min(this.top, this.height - this.seen));
  }

  forget() {
    for (const [page, element] of [...this.drawn]) this.remove(page, element);
    this.measured.clear();
    this.place();
  }

  remove(page, element) {
    element.remove();
    this.drawn.delete(page);
  }

  pageAt(top) {
    let low = 0, high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle] <= top) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // The pages near the screen.
  get range() {
    if (!this.rows.length) return [0, -1];
    return [this.pageAt(Math.max(0, this.top - SPARE_PIXELS)), this.pageAt(this.top + this.seen + SPARE_PIXELS)];
  }

  draw() {
    this.fit();
    const [first, last] = this.range;
    for (const [page, element] of [...this.drawn]) if (page < first || page > last) this.remove(page, element);
    for (let page = first; page <= last; page += 1) this.drawPage(page);
    this.measure();
    const shift = this.box.scrollTop - this.top;
    for (const [page, element] of this.drawn) {
      const place = `translateY(${this.tops[page] + shift}px)`;
      if (element.style.transform !== place) element.style.transform = place;
    }
  }

  drawPage(page) {
    const known = this.drawn.get(page), element = this.page(page, known);
    if (element === known) return;
    if (known) known.replaceWith(element);
    else this.pad.insertBefore(element, this.drawn.get(page + 1) ?? null); // reading order is the log's
    this.drawn.set(page, element);
  }

  // What is drawn has its real height now. Pages above keep what is on the screen in its place.
  measure() {
    const at = this.pageAt(this.top), within = this.top - this.tops[at];
    let changed = false, width = 0;
    for (const [page, element] of this.drawn) {
      const height = element.offsetHeight;
      width = Math.max(width, element.offsetWidth);
      if (!element.dataset.placeholder && !element.dataset.partial && height !== this.tops[page + 1] - this.tops[page]) {
        this.measured.set(page, height);
        changed = true;
      }
    }
    if (width > this.pad.clientWidth) this.pad.style.minWidth = `${width}px`; // the bar below doesn't jump
    if (!changed) return;
    const wasAtEnd = this.atEnd;
    this.place();
    this.top = Math.min(this.tops[at] + within, Math.max(0, this.height - this.seen));
    if (wasAtEnd) this.top = Math.max(0, this.height - this.seen);
    this.fit();
  }

  // Where the scroll bar stands for a place in the log: pixel by pixel near both ends, by proportion between.
  barOf(top) {
    const span = this.height - this.seen, bar = this.physical - this.seen;
    if (!this.isScaled || top <= EDGE_PIXELS) return top;
    if (top >= span - EDGE_PIXELS) return bar - (span - top);
    return EDGE_PIXELS + ((top - EDGE_PIXELS) * (bar - 2 * EDGE_PIXELS)) / (span - 2 * EDGE_PIXELS);
  }

  topOf(at) {
    const span = this.height - this.seen, bar = this.physical - this.seen;
    if (!this.isScaled || at <= EDGE_PIXELS) return at;
    if (at >= bar - EDGE_PIXELS) return span - (bar - at);
    return EDGE_PIXELS + ((at - EDGE_PIXELS) * (span - 2 * EDGE_PIXELS)) / (bar - 2 * EDGE_PIXELS);
  }

  // Bring the bar to its place: at once where nobody scrolls, else when it has come to an end that the log hasn't.
  fit() {
    const wanted = this.barOf(this.top), at = this.box.scrollTop;
    const isStuck = (at < 1 && this.top >= 1) || (at > this.physical - this.seen - 1 && !this.atEnd);
    if (this.isScaled && !this.isFitting && !isStuck) return;
    if (Math.abs(at - wanted) > 0.5) this.box.scrollTop = wanted;
    this.last = this.box.scrollTop;
  }

  scrolled() {
    const now = this.box.scrollTop, way = now - this.last;
    if (Math.abs(way) < 0.5) return;
    this.last = now;
    const isShort = this.isScaled && Math.abs(way) < 1.5 * this.seen;
    this.top = isShort ? Math.max(0, Math.min(this.height - this.seen, this.top + way)) : this.topOf(now);
    this.moved(way);
    this.later();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.go(this.top), REST_MILLISECONDS);
  }

  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.draw(); });
  }

  go(top) {
    this.top = Math.max(0, Math.min(top, this.height - this.seen));
    this.isFitting = true;
    this.draw();
    this.isFitting = false;
  }

  goToEnd() {
    this.go(this.height);
    if (!this.atEnd) this.go(this.height); // the last page has its real height now
  }

  // Bring a line to the top of the screen.
  goToPosition(position) {
    const page = Math.floor(position / PAGE_LINES);
    for (let tries = 0; tries < 2; tries += 1) this.go(this.tops[page] + this.within(page, position));
  }

  // Bring a line to the middle of the screen; its page's lines must be there.
  reveal(position) {
    const page = Math.floor(position / PAGE_LINES);
    for (let tries = 0; tries < 2; tries += 1) {
      this.go(this.tops[page] + this.within(page, position) - this.seen / 2 + ROW_PIXELS / 2);
    }
  }

  within(page, position) {
    const row = this.drawn.get(page)?.children[position % PAGE_LINES];
    return row ? row.offsetTop : ((position % PAGE_LINES) / PAGE_LINES) * (this.tops[page + 1] - this.tops[page]);
  }

  // The line at the top of the screen.
  get firstPosition() {
    if (!this.rows.length) return 0;
    const page = this.pageAt(this.top), within = this.top - this.tops[page];
    const rows = [...(this.drawn.get(page)?.children ?? [])];
    const at = rows.findIndex((row) => row.offsetTop + row.offsetHeight > within + 1);
    return page * PAGE_LINES + Math.max(0, at);
  }
}
