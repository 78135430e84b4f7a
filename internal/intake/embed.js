// Offers a survey in a corner of a page. No cookies, no storage, no requests but the survey's own page once it is opened.
(function () {
  var me = document.currentScript, data = me && me.dataset
  if (!data || !data.survey) return
  var url = new URL(data.survey, me.src)
  if (url.origin !== new URL(me.src).origin) return
  var side = data.side === 'start' ? 'inset-inline-start' : 'inset-inline-end'
  var font = 'font:600 16px/1.25 system-ui,sans-serif;'
  var at = 'position:fixed;z-index:2147483000;' + side + ':16px;bottom:16px;'
  function make(name, css) {
    var e = document.createElement(name)
    e.style.cssText = css
    return e
  }
  var look = 'color:#fff;background:' + (/^#[0-9a-f]{6}$/i.test(data.color) ? data.color : '#0b57a4') + ';border:2px solid #fff;cursor:pointer;'
  var open = make('button', at + font + look + 'padding:12px 20px;border-radius:24px;min-height:48px')
  open.type = 'button'
  open.textContent = data.label || 'Feedback'
  open.setAttribute('aria-expanded', 'false')
  var box = make('div', at + 'display:none;width:min(420px,calc(100vw - 32px));height:min(640px,calc(100vh - 32px));background:#fff;border:1px solid #767f8c;border-radius:8px;overflow:hidden;box-shadow:0 8px 32px rgba(0,0,0,.3)')
  box.setAttribute('role', 'dialog')
  box.setAttribute('aria-label', open.textContent)
  var shut = make('button', 'position:absolute;inset-inline-end:8px;top:8px;width:44px;height:44px;border-radius:22px;' + font + look)
  shut.type = 'button'
  shut.textContent = '\u00d7'
  shut.setAttribute('aria-label', data.close || 'Close')
  var frame
  function show(on) {
    if (on && !frame) {
      frame = make('iframe', 'width:100%;height:calc(100% - 60px);margin-top:60px;border:0')
      frame.title = open.textContent
      frame.src = url.href
      box.insertBefore(frame, shut)
    }
    box.style.display = on ? 'block' : 'none'
    open.style.display = on ? 'none' : 'inline-block'
    open.setAttribute('aria-expanded', String(on))
    ;(on ? shut : open).focus()
  }
  open.onclick = function () { show(true) }
  shut.onclick = function () { show(false) }
  box.onkeydown = function (e) { if (e.key === 'Escape') show(false) }
  box.appendChild(shut)
  function add() { document.body.append(open, box) }
  document.body ? add() : addEventListener('DOMContentLoaded', add)
})()
