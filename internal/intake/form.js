// Tells how far a form was filled in, never with what. As a module it runs once the page is read, and so is painted first.
(function () {
  var me = document.querySelector('[data-visits]').dataset, names = [], told = -1, seen = -1, sent
  function value(name) {
    var e = document.querySelector('[name=' + name + ']')
    return e ? e.value : ''
  }
  function find() {
    document.querySelectorAll('form [name]').forEach(function (e) {
      if (e.type != 'hidden' && e.name[0] != '_' && names.indexOf(e.name) < 0) names.push(e.name)
    })
  }
  function tell() {
    if (sent || !me.visits || seen <= told) return
    navigator.sendBeacon(me.visits, new URLSearchParams({
      _id: value('_id'), _form: value('_form'), _team: value('_team'), touchpoint: me.touchpoint, question: names[told = seen]
    }))
  }
  document.addEventListener('change', function (e) {
    if (!names[0]) find()
    seen = Math.max(seen, names.indexOf(e.target.name))
    if (told < 0) tell()
  })
  document.addEventListener('visibilitychange', function () { if (document.hidden) tell() })
  document.addEventListener('submit', function (e) { sent = !e.defaultPrevented })
})()
