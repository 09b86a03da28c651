'use strict'
// Comforts: values under the pointer, and tables that sort. All figures stand in tables without it.
const words = cell => cell.textContent.trim()
const plots = [...document.querySelectorAll('[data-rows]')].map(plot => ({
  plot,
  rows: [...document.getElementById(plot.dataset.rows).rows],
  cells: plot.dataset.cells.split(' ').map(Number),
  heads: [...document.getElementById(plot.dataset.rows).closest('table').tHead.rows[0].cells].map(words),
}))

const mark = (plot, at, text) => {
  const cursor = plot.querySelector('.cursor')
  cursor.setAttribute('x1', `${100 * at}%`)
  cursor.setAttribute('x2', `${100 * at}%`)
  plot.classList.toggle('pointed', text !== '')
  plot.closest('figure').querySelector('.readout').textContent = text
}
const under = (event, plot) => {
  const box = plot.getBoundingClientRect()
  return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1)
}

for (const { plot, rows } of plots) {
  const alike = plots.filter(other => other.plot.dataset.rows === plot.dataset.rows)
  const places = rows.map(row => Number(row.dataset.at))
  plot.addEventListener('pointermove', event => {
    const x = under(event, plot)
    let near = 0
    places.forEach((at, n) => { if (Math.abs(at - x) < Math.abs(places[near] - x)) near = n })
    for (const { plot: each, rows: own, cells, heads } of alike) {
      const told = cells.map(n => `${heads[n]} ${words(own[near].cells[n])}`)
      mark(each, places[near], [words(own[near].cells[0]), ...told].join(' · '))
    }
  })
  plot.addEventListener('pointerleave', () => alike.forEach(each => mark(each.plot, 0, '')))
}

const clock = seconds => {
  const [hours, minutes, rest] = [seconds / 3600, seconds / 60 % 60, seconds % 60].map(Math.floor)
  const two = number => String(number).padStart(2, '0')
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
for (const plot of document.querySelectorAll('[data-heat]')) {
  const columns = plot.dataset.heat.split(' ').map(column => column.split(','))
  const tops = plot.dataset.tops.split('|')
  const { began, seconds, part, height } = Object.fromEntries(Object.entries(plot.dataset).map(([k, v]) => [k, Number(v)]))
  plot.addEventListener('pointermove', event => {
    const x = under(event, plot), column = Math.floor(x / part * columns.length)
    const y = event.clientY - plot.getBoundingClientRect().top
    const row = Math.floor((1 - y / height) * tops.length)
    if (!(column in columns) || !(row in tops)) return mark(plot, 0, '')
    const count = columns[column][row] || '0'
    return mark(plot, x, `${clock(began + column * seconds)} · up to ${tops[row]} · ${count} ${count === '1' ? 'answer' : 'answers'}`)
  })
  plot.addEventListener('pointerleave', () => mark(plot, 0, ''))
}

const value = cell => {
  const text = words(cell).replace(/[,\s]/g, '').replace('−', '-').replace('<', '')
  return /^[-+]?[\d.]/.test(text) ? parseFloat(text) : text === 'n/a' ? -1 : text
}
const order = (a, b) => typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b))
for (const table of document.querySelectorAll('.sortable')) {
  for (const head of table.tHead.querySelectorAll('th')) {
    const button = document.createElement('button')
    button.append(...head.childNodes)
    head.append(button)
    button.addEventListener('click', () => {
      // Numbers begin with the largest, words with A; a second time it is the other way round.
      const before = head.getAttribute('aria-sort')
      const turn = before ? (before === 'ascending' ? -1 : 1) : head.classList.contains('n') ? -1 : 1
      table.tHead.querySelectorAll('th').forEach(each => each.removeAttribute('aria-sort'))
      head.setAttribute('aria-sort', turn === 1 ? 'ascending' : 'descending')
      const rows = [...table.tBodies[0].rows]
      rows.sort((a, b) => turn * order(value(a.cells[head.cellIndex]), value(b.cells[head.cellIndex])))
      table.tBodies[0].append(...rows)
    })
  }
}
