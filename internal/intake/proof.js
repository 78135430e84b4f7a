// Works for the proof that a form must show. It is the whole of a worker, so that the page stays free. SHA-256 is written out here
// since a browser has it on pages with TLS only; the blocks before the nonce are computed once.
onmessage = function (e) {
  var K = [], H = [], W = new Int32Array(64)
  for (var n = 2, d; K.length < 64; n++) {
    for (d = 2; n % d; d++);
    if (d < n) continue
    if (H.length < 8) H.push(Math.sqrt(n) * 4294967296 | 0)
    K.push(Math.cbrt(n) * 4294967296 | 0)
  }
  function turn(x, by) { return x >>> by | x << 32 - by }
  function block(text, at, last, s) {
    var a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7], t, x, y
    for (t = 0; t < 64; t++) W[t >> 2] = W[t >> 2] << 8 | text.charCodeAt(at + t)
    if (last) W[15] = last
    for (t = 0; t < 64; t++) {
      if (t > 15) {
        x = W[t - 15]
        y = W[t - 2]
        W[t] = W[t - 16] + (turn(x, 7) ^ turn(x, 18) ^ x >>> 3) + W[t - 7] + (turn(y, 17) ^ turn(y, 19) ^ y >>> 10)
      }
      x = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (e & f ^ ~e & g) + K[t] + W[t]
      y = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + (a & b ^ a & c ^ b & c)
      h = g
      g = f
      f = e
      e = d + x | 0
      d = c
      c = b
      b = a
      a = x + y | 0
    }
    return [s[0] + a | 0, s[1] + b | 0, s[2] + c | 0, s[3] + d | 0, s[4] + e | 0, s[5] + f | 0, s[6] + g | 0, s[7] + h | 0]
  }
  var bits = +e.data[0], text = 'cx-operator proof v1\n' + e.data[1] + '\n' + e.data[2] + '\n', length = text.length
  for (; text.length > 63; text = text.slice(64)) H = block(text, 0, 0, H)
  for (var count = 0, nonce, rest, s, i; ; count++) {
    nonce = count.toString(36)
    rest = text + nonce + '\x80'
    for (s = H, i = 0; rest.length - i > 56; i += 64) s = block(rest.padEnd(128, '\0'), i, 0, s)
    if (Math.clz32(block(rest.padEnd(128, '\0'), i, (length + nonce.length) * 8, s)[0]) >= bits) return postMessage(nonce)
  }
}
