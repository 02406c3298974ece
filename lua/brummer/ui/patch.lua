--- Changing the text of a log: append at the end, trim at the head, nothing in between.
local colors = require('brummer.ui.colors')
local config = require('brummer.config')
local draw = require('brummer.ui.draw')
local follow = require('brummer.ui.follow')
local view_of = require('brummer.ui.view')

local M = {}

---@class brummer.LogPatch
---@field buf integer
---@field id? integer
---@field reset? boolean
---@field skipped? integer
---@field total integer
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

--- Appends the lines `from + 1 … to` of a patch.
---@param view brummer.LogView
---@param patch brummer.LogPatch
---@param from integer
---@param to integer
---@param missing integer
local function append(view, patch, from, to, missing)
  local row = view.lines.count
  local lines = (from == 0 and to == #patch.lines) and patch.lines
    or vim.list_slice(patch.lines, from + 1, to)
  view_of.write(view.buf, row == 0 and 0 or -1, -1, lines)
  view.lines:push(patch.seqs, patch.ids, patch.times or {}, from, to)
  colors.push(view, patch.spans, from, to, view.lines.base + row - from)
  draw.clipped(view.buf, patch, from, to, row - from)
  if missing > 0 and row > 0 then
    draw.gap(view.buf, row, missing)
  end
end

--- Applies a patch. The windows on the log keep what they show, or follow.
---@param view brummer.LogView
---@param patch brummer.LogPatch
function M.apply(view, patch)
  view.id = patch.id or view.id
  view.total = patch.total or view.total
  colors.learn(view, patch.styles)
  if view.still or not view.watching then
    return
  end
  if patch.reset then
    local held = view.keep and view.lines:overlap(patch.seqs or {}, patch.ids) or 0
    if not view.keep or (patch.ids and held == 0 and #patch.lines > 0) then
      M.empty(view)
      view.lines.last = {}
    end
    view.keep = false
  end
  local wins = vim.fn.win_findbuf(view.buf)
  follow.before(wins)
  local count = #(patch.lines or {})
  if count > 0 then
    local from, missing = view.lines:overlap(patch.seqs, patch.ids)
    missing = patch.ids and (patch.skipped or 0) or missing
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
    M.trim(view, wins)
  end
  draw.marks(view, patch)
  draw.runs(view, patch)
  draw.full_screen(view, view.script and require('brummer.state').find(view.root, view.script))
  follow.after(wins)
end

return M
