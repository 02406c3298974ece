--- Changing the text of a log: append at the end, trim at the head, nothing in between.
local colors = require('brummer.ui.colors')
local config = require('brummer.config')
local draw = require('brummer.ui.draw')
local folds = require('brummer.ui.folds')
local follow = require('brummer.ui.follow')
local view_of = require('brummer.ui.view')

local M = {}

---@class brummer.LogPatch
---@field buf integer
---@field id? integer
---@field reset? boolean
---@field skipped? integer
---@field next? integer position after the last line
---@field before? integer the lines go in front of this one
---@field before_id? integer its process, in the merged log
---@field late? boolean nobody asked for them
---@field folds? integer[]
---@field fold_ids? integer[]
---@field total integer
---@field passed_over? integer
---@field names? string[]
---@field lines string[]
---@field seqs integer[]
---@field ids? integer[]
---@field times integer[]
---@field spans integer[]
---@field styles? table[]
---@field marks? integer[]
---@field mark_ids? integer[]
---@field clipped? integer[]
---@field runs? { seq: integer, run: integer, at: integer, id?: integer, prev?: table }[]

--- Throws the text away.
---@param view brummer.LogView
function M.empty(view)
  draw.clear(view.buf)
  view.screen_run = nil
  view.partial, view.deferred, view.repeats = nil, {}, nil
  view.lines:empty()
  view_of.write(view.buf, 0, -1, {})
end

--- Whether lines at the head must stay: the user selects there, or reads them.
---@param view brummer.LogView
---@param wins integer[]
---@param over integer
---@return boolean
local function head_in_use(view, wins, over)
  if vim.api.nvim_get_current_buf() == view.buf and follow.selecting() then
    return true
  end
  for _, win in ipairs(wins) do
    if not follow.on(win) and vim.fn.line('w0', win) <= over then
      return true
    end
  end
  return false
end

--- Deletes lines at the head beyond the bound. Neovim itself keeps the view of other windows.
---@param view brummer.LogView
---@param wins integer[]
function M.trim(view, wins)
  local over = view.lines.count - config.get().max_lines
  if over <= 0 or head_in_use(view, wins, over) then
    return
  end
  draw.clear(view.buf, over)
  view_of.write(view.buf, 0, over, {})
  view.lines:trim(over)
end

---@param lines string[]
---@param from integer
---@param to integer
---@return string[]
function M.slice(lines, from, to)
  return from == 0 and to == #lines and lines or vim.list_slice(lines, from + 1, to)
end

--- Appends the lines `from + 1 … to` of a patch.
---@param view brummer.LogView
---@param patch brummer.LogPatch
---@param from integer
---@param to integer
---@param missing integer
local function append(view, patch, from, to, missing)
  local row = view.lines.count
  view_of.write(view.buf, row == 0 and 0 or -1, -1, M.slice(patch.lines, from, to))
  view.lines:push(patch.seqs, patch.ids, patch.times or {}, from, to)
  colors.push(view, patch.spans, from, to, view.lines.base + row - from)
  draw.clipped(view.buf, patch, from, to, row - from)
  if missing > 0 and row > 0 then
    draw.gap(view.buf, row, missing)
  end
end

--- Whether lines cannot be put in front of a row now: the user selects, or reads where they would come.
---@param view brummer.LogView
---@param wins integer[]
---@param row integer
---@return boolean
local function in_sight(view, wins, row)
  if vim.api.nvim_get_current_buf() == view.buf and follow.selecting() then
    return true
  end
  for _, win in ipairs(wins) do
    local top, bottom = vim.fn.line('w0', win), vim.fn.line('w$', win)
    if not follow.on(win) and top <= row and row < bottom then
      return true
    end
  end
  return false
end

--- How many of the first lines of a patch are held above a row already, or hidden by `clear`.
---@param view brummer.LogView
---@param patch brummer.LogPatch
---@param row integer
---@return integer
local function known(view, patch, row)
  local from, done = 0, false
  local above = not patch.ids and row > 0 and view.lines:at(row - 1) or 0
  view.lines.walk(patch.seqs, patch.ids, function(id, seq, count)
    local last = math.max(view.lines.floor[id] or 0, above)
    local part = done and 0 or math.min(math.max(last - seq + 1, 0), count)
    from, done = from + part, done or part < count
  end)
  return from
end

--- Puts lines that had been left out in front of a line that is held.
---@param view brummer.LogView
---@param patch brummer.LogPatch
---@return boolean done false when it has to wait
function M.insert(view, patch)
  local row = view.lines:row(patch.before, patch.before_id)
  local wins = vim.fn.win_findbuf(view.buf)
  if row and patch.late and in_sight(view, wins, row) then
    return false
  end
  local to = #(patch.lines or {})
  local from = row and known(view, patch, row) or to
  if not row or view.lines.count + to - from > 2 * config.get().max_lines then
    return true
  end
  follow.before(wins)
  draw.no_gap(view.buf, row)
  if to > from then
    -- The windows keep what they show: Neovim moves their first line with the text.
    view_of.write(view.buf, row, row, M.slice(patch.lines, from, to))
    view.lines:insert(row, patch.seqs, patch.ids, patch.times or {}, from, to)
    colors.insert(view, patch.spans, from, to, view.lines.base + row)
    draw.clipped(view.buf, patch, from, to, row - from)
  end
  if (patch.skipped or 0) > 0 and from == 0 and row > 0 then
    draw.gap(view.buf, row, patch.skipped)
  end
  M.trim(view, wins)
  draw.marks(view, patch)
  draw.runs(view, patch)
  folds.add(view, patch)
  follow.after(wins)
  return true
end

--- Puts in what had to wait, as far as it need not wait any longer.
---@param view brummer.LogView
function M.catch_up(view)
  while view.deferred[1] and M.insert(view, view.deferred[1]) do
    table.remove(view.deferred, 1)
  end
end

--- What is put in front of a held line waits for its turn. What is too much stays left out.
---@param view brummer.LogView
---@param patch brummer.LogPatch
local function put_in_front(view, patch)
  local waiting = view.deferred
  local lines = #patch.lines
  for _, before in ipairs(waiting) do
    lines = lines + #before.lines
  end
  if lines > 2 * config.get().max_lines then
    view.deferred = {}
  else
    waiting[#waiting + 1] = patch
    M.catch_up(view)
  end
end

--- Applies a patch. The windows on the log keep what they show, or follow.
---@param view brummer.LogView
---@param patch brummer.LogPatch
function M.apply(view, patch)
  view.id = patch.id or view.id
  view.total = patch.total or view.total
  view.passed_over = (patch.reset and 0 or view.passed_over) + (patch.passed_over or 0)
  view.names = patch.names or view.names
  colors.learn(view, patch.styles)
  if view.still or not view.watching then
    return
  end
  if patch.before then
    return put_in_front(view, patch)
  end
  if patch.reset then
    local held = view.keep and view.lines:overlap(patch.seqs or {}, patch.ids) or 0
    if not view.keep or (patch.ids and held == 0 and #patch.lines > 0) then
      M.empty(view)
      view.lines.last = {}
    end
  end
  view.keep = false
  local wins = vim.fn.win_findbuf(view.buf)
  follow.before(wins)
  local count = #(patch.lines or {})
  if count > 0 then
    local from, missing = view.lines:overlap(patch.seqs, patch.ids)
    missing = (patch.ids or view.filter) and (patch.skipped or 0) or missing
    local over = view.lines.count + count - from - config.get().max_lines
    local to = count
    if over > 0 and head_in_use(view, wins, over) then
      local room = 2 * config.get().max_lines - view.lines.count
      if count - from > room then
        to, view.still = from + math.max(room, 0), true
      end
    end
    if to > from then
      append(view, patch, from, to, missing)
    end
    view.next = patch.next and patch.next - (count - to)
    M.trim(view, wins)
  end
  draw.marks(view, patch)
  draw.runs(view, patch)
  folds.add(view, patch)
  M.catch_up(view)
  local row = view.script and require('brummer.state').find(view.root, view.script) or nil
  draw.full_screen(view, row)
  follow.after(wins)
  draw.partial(view, row)
end

return M
