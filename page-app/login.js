// Asks for the password, once for as long as the browser is used.
import { translate as _, format } from './words.js';

const place = document.querySelector('#maincontent');

function create(tag, attributes, children = []) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const input = create('input', {
  id: 'password',
  type: 'password',
  autocomplete: 'current-password',
  required: '',
  autofocus: '',
});
const button = create('button', { type: 'submit', class: 'btn cbi-button-apply' }, [_('Log in')]);
const fault = create('p', { class: 'iot-login-fault', role: 'alert' });
const form = create('form', { class: 'iot-login' }, [
  create('h1', {}, [_('IoT Privacy')]),
  create('label', { for: 'password' }, [_('Password of this page')]),
  input,
  button,
  fault,
  create('p', { class: 'iot-hint' }, [
    _('Who has forgotten it makes another one on the machine itself: sudo iotshaper password'),
  ]),
]);

/** Why not; '' where it is the one. */
async function tryPassword(password) {
  try {
    const response = await fetch('/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ password }),
    });
    if (response.ok) return '';
    if (response.status === 401) return _('That is not the password.');
    if (response.status !== 429) return await response.text();
    const { wait } = await response.json();
    return format(_('Too many tries. Wait %s seconds, then try again.'), [wait]);
  } catch {
    return _('The router does not answer. Try again in a moment.');
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  button.disabled = true;
  fault.textContent = '';
  const refusal = await tryPassword(input.value);
  button.disabled = false;
  fault.textContent = refusal;
  if (refusal === '') window.location.replace('/');
  else input.select();
});

place.append(form);
input.focus();
