--- Where the cursor of a window belongs that has come to show a log: on a line, or the nearest one,
--- which may have to come from the host first.
local follow = require('brummer.ui.follow')

local M = {}

-- What has not come by then has no line near by.
local PATIENCE_MS = 3000

---@class brummer.Anchor
---@field win integer
---@field seq integer
---@field id integer process in the merged log, else 0
---@field t? integer when the line was read
---@field exact? boolean only that line
---@field back? integer buffer that comes back when that line is not there
---@field expires integer

--- The line under the cursor of a window, as an anchor; nil where there is none or the window follows.
---@param win integer
---@param view brummer.LogView
---@return brummer.Anchor?
function M.of(win, view)
  local row = vim.api.nvim_win_get_cursor(win)[1] - 1
  local seq, id = view.lines:at(row)
  if not seq or follow.on(win) then
    return
  end
  return M.new(win, seq, id or 0, view.lines:time(row))
end

---@param win integer
---@param seq integer
---@param id integer
---@param t? integer
---@return brummer.Anchor
function M.new(win, seq, id, t)
  return { win = win, seq = seq, id = id, t = t, expires = vim.uv.now() + PATIENCE_MS }
end

--- The row whose line is nearest: by its number in the log, else by its time.
---@param view brummer.LogView
---@param anchor brummer.Anchor
---@return integer? row
---@return boolean exact
local function nearest(view, anchor)
  local best, row ---@type integer?, integer?
  for _, run in ipairs(view.lines.runs) do
    if run.id == anchor.id then
      local seq = math.min(math.max(anchor.seq, run.seq), run.seq + run.count - 1)
      local at = run.at + seq - run.seq - view.lines.base
      local distance = math.abs(seq - anchor.seq)
      if at >= 0 and (not best or distance < best) then
        best, row = distance, at
      end
    end
  end
  if row or not anchor.t then
    return row, best == 0
  end
  for _, entry in ipairs(view.lines.times) do
    local at, distance = entry.at - view.lines.base, math.abs(entry.t - anchor.t)
    if at >= 0 and (not best or distance < best) then
      best, row = distance, at
    end
  end
  return row, false
end

--- Lines have come: puts the cursor where it belongs.
---@param view brummer.LogView
function M.settle(view)
  local anchor = view.anchor --[[@as brummer.Anchor]]
  local win = anchor.win
  if not vim.api.nvim_win_is_valid(win) or vim.api.nvim_win_get_buf(win) ~= view.buf then
    view.anchor = nil
    return
  end
  local row, exact = nearest(view, anchor)
  local passed = (view.lines.last[anchor.id] or 0) >= anchor.seq
  if exact or passed or vim.uv.now() > anchor.expires then
    view.anchor = nil
  end
  if row and (exact or not anchor.exact) then
    vim.api.nvim_win_set_cursor(win, { row + 1, 0 })
    vim.api.nvim_win_call(win, function()
      vim.cmd.normal({ 'zvzz', bang = true })
    end)
    follow.look(win)
  elseif anchor.exact and not view.anchor then
    if anchor.back and vim.api.nvim_buf_is_valid(anchor.back) then
      vim.api.nvim_win_set_buf(win, anchor.back)
    end
    require('brummer.notify').say('the log no longer shows that line; K shows all of it')
  end
end

return M
