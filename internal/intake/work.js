// Has a worker find the proof that a form must show, from when somebody does something on the page, and lets the form wait for it.
(function () {
  var me = document.querySelector('[data-visits]').dataset
  var proof = document.querySelector('[name=_proof]'), note = document.createElement('p'), worker, waiting, late
  function send() {
    clearTimeout(late)
    HTMLFormElement.prototype.submit.call(proof.form)
  }
  function work() {
    if (worker || proof.value) return
    worker = new Worker('/proof.js')
    worker.onmessage = function (e) {
      proof.value = e.data
      worker.terminate()
      if (waiting) send()
    }
    // What is done next tries again.
    worker.onerror = function (e) {
      e.preventDefault()
      worker = 0
      if (waiting) send()
    }
    worker.postMessage([me.bits, me.program, document.querySelector('[name=_id]').value])
  }
  note.setAttribute('role', 'status')
  document.querySelector('.go').after(note)
  ;['pointerdown', 'keydown', 'change'].forEach(function (name) { document.addEventListener(name, work) })
  document.addEventListener('submit', function (e) {
    if (proof.value || e.submitter && e.submitter.value) return
    e.preventDefault()
    if (!waiting) late = setTimeout(send, 30000)
    waiting = note.textContent = me.wait
    work()
  })
})()
