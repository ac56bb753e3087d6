// Lines of source, coloured, and the one that counts kept in view.
import { Component, createRef } from 'preact';

const RUST = /(\/\/.*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'|'[a-z_]\w*\b|\byield_!|\b(?:as|async|await|break|const|continue|else|enum|false|fn|for|if|impl|in|let|loop|match|move|mut|None|Ok|Err|pub|ref|return|self|Self|Some|static|struct|true|use|where|while)\b|\b\d[\d_]*(?:\.\d+)?\b)/;
const PYTHON = /(#.*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\byield\b|\b(?:and|as|async|await|break|class|continue|def|elif|else|except|finally|for|from|if|import|in|is|lambda|None|not|or|pass|raise|return|self|try|while|with|True|False)\b|\b\d[\d_]*(?:\.\d+)?\b)/;

const kind = (token) => (/^(\/\/|#)/.test(token) ? 'comment' : /^"|^'.*'$/.test(token) ? 'string' : token[0] === "'" ? 'keyword' : /^yield/.test(token) ? 'yield' : /^\d/.test(token) ? 'number' : 'keyword');

const coloured = (text, language) =>
  text.split(language === 'python' ? PYTHON : RUST).map((token, i) => (i % 2 ? <i class={kind(token)}>{token}</i> : token));

/// A line that wraps under its own indent. It is drawn again only if `look` changes, which says all that is drawn beside its
/// text. `narrow` shows an indent of four as two, and a comment right behind
/// its code.
export class Line extends Component {
  shouldComponentUpdate(next) {
    return next.look !== this.props.look || next.text !== this.props.text || next.language !== this.props.language;
  }

  render({ text, language, narrow, number, mark, class: name, style, id }) {
    const indent = text.length - text.trimStart().length;
    const shown = narrow ? indent / 2 : indent;
    const code = narrow ? text.slice(indent).replace(/ {3,}#/, '  #') : text.slice(indent);
    return (
      <div class={'line ' + name} style={style} data-line={id}>
        {number}
        <code style={`padding-left:${shown + 2}ch;text-indent:-2ch`}>{coloured(code, language)}</code>
        {mark}
      </div>
    );
  }
}

/// Lines that scroll. After each step the first of `seek` that is there is in view.
export class Lines extends Component {
  box = createRef();

  componentDidMount() {
    // At first, and when the help above takes some of the room.
    this.resized = new ResizeObserver(() => this.follow());
    this.resized.observe(this.box.current);
    this.follow();
  }

  componentWillUnmount() {
    this.resized.disconnect();
  }

  componentDidUpdate(before) {
    if (before.step !== this.props.step || before.of !== this.props.of) this.follow();
    this.look();
  }

  follow() {
    for (const selector of this.props.seek) if (bring(this.box.current, selector)) break;
    this.look();
  }

  /// Tells which lines that are marked `on` are out of view.
  look = () => {
    if (!this.props.hidden) return;
    const box = this.box.current;
    const { top, height } = box.getBoundingClientRect();
    const hidden = [];
    for (const line of box.querySelectorAll('.on')) {
      const y = line.getBoundingClientRect().top - top;
      if (y < -6) hidden.push(['up', line.dataset.line]);
      else if (y > height - 16) hidden.push(['down', line.dataset.line]);
    }
    this.props.hidden(hidden);
  };

  render({ label, children, hidden }) {
    return (
      <div class="lines" ref={this.box} tabIndex="0" role="region" aria-label={label} onScroll={hidden ? this.look : undefined}>
        {children}
      </div>
    );
  }
}

/// Scrolls a box, and not the page, so that an element in it is in view. `false` if there is none.
export function bring(box, selector) {
  const element = box.querySelector(selector);
  if (!element) return false;
  const top = element.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop;
  const height = box.clientHeight;
  if (top < box.scrollTop + 20 || top + element.offsetHeight > box.scrollTop + height - 24) box.scrollTop = Math.max(0, top - height * 0.4);
  return true;
}
