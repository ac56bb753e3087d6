// The bar on top: what happens at this step, and why. Before a step that answers a question, the question.
import { Component, createRef } from 'preact';
import { Icon } from './icons.jsx';
import { Said } from './words.jsx';

export function Now({ page }) {
  const { trace, state, words, k, view, asking } = page;
  const seen = new Set();
  const [what, why] = trace.says(k, view.language);
  return (
    <div class="now">
      <div class="where">
        <b>{k + 1}</b> / {trace.n}
        <br />
        <span>{words.nth_turn.replace('{}', state.turn)} · {state.time}</span>
      </div>
      {asking ? <Question key={asking.ask.before} page={page} {...asking} /> : (
        <div class="says" role="status">
          <p class="what"><Said page={page} parts={what} seen={seen} /></p>
          <p class="why"><Said page={page} parts={k === trace.n - 1 && trace.dropped ? [...why, ` ${words.left_out.replace('{}', trace.dropped)}`] : why} seen={seen} /></p>
        </div>
      )}
    </div>
  );
}

class Question extends Component {
  first = createRef();
  on = createRef();

  componentDidMount() {
    this.first.current?.focus();
  }

  componentDidUpdate(before) {
    if (before.given === undefined && this.props.given !== undefined) this.on.current?.focus();
  }

  render({ page, ask, given }) {
    const { words, view, actions } = page;
    const answered = given !== undefined;
    const look = (n) => (!answered ? '' : n === ask.right ? 'right' : n === given ? 'wrong' : '');
    return (
      <div class="asks" role="group" aria-label={words.ask}>
        <p class="what"><span class="tag">{words.ask}</span><Said page={page} parts={ask.question[view.language]} /></p>
        <div class="options">
          {ask.options.map((option, n) => (
            <button ref={n ? null : this.first} class={look(n)} disabled={answered} onClick={() => actions.answer(n)}>
              <kbd>{n + 1}</kbd><span><Said page={{ ...page, glossary: null }} parts={option[view.language]} /></span>
              {look(n) ? <><Icon name={look(n)} /><span class="heard">{words[look(n)]}</span></> : null}
            </button>
          ))}
          {answered ? null : <button class="quiet" onClick={actions.step}>{words.skip}</button>}
        </div>
        {answered ? (
          <p class="why" role="status">
            <b>{given === ask.right ? words.right : words.wrong}</b> <Said page={page} parts={ask.why[view.language]} />{' '}
            <button ref={this.on} class="primary" onClick={actions.step}>{words.go_on} <Icon name="step" /></button>
            {given !== ask.right && ask.decides !== undefined && ask.decides !== ask.before ? <button onClick={() => actions.to(ask.decides)}>{words.decides.replace('{}', ask.decides + 1)}</button> : null}
          </p>
        ) : null}
      </div>
    );
  }
}
