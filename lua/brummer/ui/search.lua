--- What a search found, newest last; older lines come in front as they are found.
local config = require('brummer.config')
local hits = require('brummer.ui.hits')
local host = require('brummer.host')
local notify = require('brummer.notify')
local text = require('brummer.text')
local view_of = require('brummer.ui.view')

local M = {}

local api = vim.api
local ns = api.nvim_create_namespace('brummer.search')
local MAX = 10000
-- Buffers of searches that are kept.
local KEEP = 10
-- Between two drawings of the bar while lines come.
local BAR_MS = 250

---@class brummer.SearchView: brummer.View
---@field query? string
---@field opts? brummer.SearchOpts
---@field hits brummer.Hit[] by row
---@field total integer
---@field running boolean
---@field over boolean everything was looked through
---@field more boolean there are more than are shown
---@field problem? string
---@field placed? boolean the cursor has been put on the newest hit
---@field drawn integer when the bar was drawn

---@param view brummer.SearchView
function M.open(view)
  require('brummer.highlight').setup()
  M.watch()
  view.hits, view.total, view.running, view.over = {}, 0, false, false
  view.drawn, view.more = 0, false
  view_of.write(view.buf, 0, -1, {})
end

---@param view brummer.SearchView
function M.close(view)
  require('brummer.search').unsearch(view)
end

--- Looks again from the start.
---@param view brummer.SearchView
---@param cb? fun(err?: string)
function M.start(view, cb)
  if not view.query then
    return notify.say('nothing to search for; :Brummer search PATTERN')
  end
  view.running, view.over, view.more, view.problem = true, false, false, nil
  view.fresh = true
  host.call('search', {
    buf = view.buf,
    root = view.opts.root,
    name = view.opts.name,
    query = view.query,
    max = MAX,
    previous = view.opts.previous,
  }, function(err)
    if err then
      view.running = false
    end
    (cb or notify.failed)(err or (not cb and '' or nil))
    M.bar(view, true)
  end)
end

--- Puts the cursor on the newest hit, once; what comes later comes in front of it.
---@param win integer
---@param view brummer.SearchView
local function place(win, view)
  if not view.placed and #view.hits > 0 then
    view.placed = true
    api.nvim_win_set_cursor(win, { api.nvim_buf_line_count(view.buf), 0 })
  end
end

--- The oldest searches that no window shows go.
local function thin()
  local hidden = vim.tbl_filter(function(view)
    return #vim.fn.win_findbuf(view.buf) == 0
  end, view_of.all('search'))
  table.sort(hidden, function(a, b)
    return a.buf < b.buf
  end)
  for i = 1, #hidden - KEEP do
    pcall(api.nvim_buf_delete, hidden[i].buf, { force = true })
  end
end

---@param win integer
---@param view brummer.SearchView
function M.style(win, view)
  local wo = vim.wo[win][0]
  wo.smoothscroll = true
  wo.signcolumn = 'no'
  hits.style(win)
  place(win, view)
  M.bar(view, true)
end

--- Visibility has changed: what nobody sees any more ends.
---@param view brummer.SearchView
function M.shown(view)
  if #vim.fn.win_findbuf(view.buf) == 0 then
    require('brummer.search').unsearch(view)
    thin()
  end
end

function M.hiding() end

--- `/foo/ · 312 hits · searching`
---@param view brummer.SearchView
---@return string
function M.said(view)
  local parts = { view.query or 'no search', text.plural(view.total, 'hit') }
  if #view.hits < view.total or view.more then
    parts[2] = ('newest %s of %s%s'):format(
      text.count(#view.hits),
      text.plural(view.total, 'hit'),
      view.more and ' or more' or ''
    )
  end
  if view.problem then
    parts[3] = view.problem
  elseif view.running then
    parts[3] = 'searching'
  elseif not view.over then
    parts[3] = view.query and 'stopped · R searches again' or nil
  elseif view.total == 0 then
    parts[3] = 'R searches again'
  end
  return table.concat(parts, ' · ')
end

--- Draws the bars of its windows, where they changed and not more often than can be read.
---@param view brummer.SearchView
---@param now? boolean
function M.bar(view, now)
  if not config.get().winbar or not now and vim.uv.now() - view.drawn < BAR_MS then
    return
  end
  view.drawn = vim.uv.now()
  local bar = ('%%#BrummerTitle#search%%* %s%%<'):format((M.said(view):gsub('%%', '%%%%')))
  for _, win in ipairs(vim.fn.win_findbuf(view.buf)) do
    if vim.wo[win].winbar ~= bar then
      require('brummer.ui.winbar').set(win, bar)
    end
  end
end

---@param view brummer.SearchView
---@param patch brummer.HitPatch
local function draw(view, patch)
  local marks = patch.matches or {}
  for i = 1, #marks, 3 do
    pcall(api.nvim_buf_set_extmark, view.buf, ns, marks[i], marks[i + 1], {
      end_col = marks[i + 2],
      hl_group = 'BrummerMatch',
    })
  end
  local cut = patch.clipped or {}
  for i = 1, #cut, 2 do
    local note = (' … cut, K shows all %s bytes'):format(text.count(cut[i + 1]))
    api.nvim_buf_set_extmark(view.buf, ns, cut[i], #patch.lines[cut[i] + 1], {
      virt_text = { { note, 'BrummerClipped' } },
      virt_text_pos = 'inline',
    })
  end
end

---@param view brummer.SearchView
---@param patch brummer.HitPatch
local function apply(view, patch)
  if patch.reset or view.fresh then
    api.nvim_buf_clear_namespace(view.buf, ns, 0, -1)
    view_of.write(view.buf, 0, -1, {})
    view.hits, view.fresh = {}, false
  end
  view.total = patch.total or view.total
  if #(patch.lines or {}) > 0 then
    local first = #view.hits == 0
    view.placed = not first and view.placed
    view_of.write(view.buf, 0, first and -1 or 0, patch.lines)
    view.hits = vim.list_extend(hits.of(patch), view.hits)
    draw(view, patch)
    for _, win in ipairs(vim.fn.win_findbuf(view.buf)) do
      place(win, view)
    end
  end
  if patch.done then
    view.running, view.over = false, true
    view.more, view.problem = patch.more or false, patch.error
  end
  M.bar(view, patch.done)
end

--- Applies the part of a frame.
---@param patches brummer.HitPatch[]
function M.apply(patches)
  for _, patch in ipairs(patches) do
    local view = view_of.get(patch.buf) --[[@as brummer.SearchView?]]
    if view and view.kind == 'search' and view.running then
      apply(view, patch)
    end
  end
end

--- The hit in a line.
---@param view brummer.SearchView
---@param lnum integer
---@return brummer.Hit?
function M.at(view, lnum)
  return view.hits[lnum]
end

function M.host_up() end

--- The host has gone: what was found stays, and its lines are of an earlier session now.
function M.host_down()
  for _, view in ipairs(view_of.all('search')) do
    view.running = false
    for _, hit in ipairs(view.hits) do
      hit.id = 0
    end
    M.bar(view --[[@as brummer.SearchView]], true)
  end
end

local watching = false

--- Looks at the widths again when windows change, once set.
function M.watch()
  if watching then
    return
  end
  watching = true
  api.nvim_create_autocmd({ 'WinResized', 'VimResized' }, {
    group = api.nvim_create_augroup('brummer.search', {}),
    desc = 'brummer: show times where there is room',
    callback = function()
      for _, win in ipairs(api.nvim_tabpage_list_wins(0)) do
        local view = view_of.get(api.nvim_win_get_buf(win))
        if view and view.kind == 'search' then
          M.style(win, view --[[@as brummer.SearchView]])
        end
      end
    end,
  })
end

return M
