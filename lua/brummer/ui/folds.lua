--- Stack frames folded into one line. The host says which lines belong together; every window that shows them gets its own
--- folds, once, and what the user does with them stays.
local follow = require('brummer.ui.follow')

local M = {}

local EXPRESSION = "v:lua.require'brummer.ui.folds'.text()"

---@class (exact) brummer.Fold
---@field first integer number of its first line
---@field last integer
---@field count integer frames in it
---@field user? integer line of the first frame that is the user's own
---@field place? string where that points
---@field id? integer process, in the merged log

---@type table<integer, table<brummer.Fold, true>> what each window has been given
local given = {}

--- The rows of a group, from 0, when all of it is held and the line after it has come.
---@param view brummer.LogView
---@param fold brummer.Fold
---@return integer? first
---@return integer? last
local function rows(view, fold)
  local first = view.lines:row(fold.first, fold.id)
  local last = first and first + fold.last - fold.first
  if first and last < view.lines:stretch(first) + 1 and last + 1 < view.lines.count then
    return first, last
  end
end

--- The user has said what is to become of folds here: `zn`, `zR`.
---@param win integer
---@return boolean
local function open(win)
  return not vim.wo[win].foldenable or vim.wo[win].foldlevel > 0
end

---@param win integer
---@param view brummer.LogView
local function fold(win, view)
  local selecting = win == vim.api.nvim_get_current_win() and follow.selecting()
  if selecting or open(win) then
    return
  end
  given[win] = given[win] or {}
  local done = given[win]
  local new = vim.tbl_filter(function(group)
    return not done[group] and rows(view, group) ~= nil
  end, view.folds)
  if #new == 0 then
    return
  end
  vim.api.nvim_win_call(win, function()
    for _, group in ipairs(new) do
      local first, last = rows(view, group)
      done[group] = true
      if vim.fn.foldlevel(first + 1) == 0 and last > first then
        vim.cmd(('%d,%dfold'):format(first + 1, last + 1))
      end
    end
  end)
end

--- Gives the windows of a view the folds they lack.
---@param view brummer.LogView
function M.sync(view)
  if not view.folds or not view.folds[1] then
    return
  end
  -- What was trimmed is gone for good.
  view.folds = vim.tbl_filter(function(group)
    local held = view.lines:row(group.last, group.id)
    return held ~= nil or group.last > (view.lines.last[group.id or 0] or 0)
  end, view.folds)
  for _, win in ipairs(vim.fn.win_findbuf(view.buf)) do
    fold(win, view)
  end
end

--- Takes the groups of a patch.
---@param view brummer.LogView
---@param patch brummer.LogPatch
function M.add(view, patch)
  view.folds = view.folds or {}
  for _, group in ipairs(patch.folds or {}) do
    local known = false
    for _, held in ipairs(view.folds) do
      known = known or held.first == group.first and held.id == group.id
    end
    if not known then
      view.folds[#view.folds + 1] = group
    end
  end
  M.sync(view)
end

--- A window has come to show a view.
---@param win integer
---@param view brummer.LogView
function M.style(win, view)
  given[win] = nil
  vim.wo[win][0].foldtext = EXPRESSION
  M.sync(view)
end

--- The group a row of a view stands in.
---@param view brummer.LogView
---@param row integer
---@return brummer.Fold?
function M.at(view, row)
  for _, group in ipairs(view.folds or {}) do
    local first, last = rows(view, group)
    if first and first <= row and row <= last then
      return group
    end
  end
end

--- What a closed fold says.
---@return string
function M.text()
  local view = require('brummer.ui.view').get(0) --[[@as brummer.LogView?]]
  local group = view and view.lines and M.at(view, vim.v.foldstart - 1)
  if not group then
    return vim.fn.foldtext()
  end
  local icon = require('brummer.config').icon('closed')
  local said = require('brummer.text').plural(group.count, 'frame')
  if group.place then
    local root = view.root and view.root .. '/' or ''
    local place = vim.startswith(group.place, root) and group.place:sub(#root + 1) or group.place
    said = ('%s, first of yours %s'):format(said, place)
  end
  return ('%s %s'):format(icon, said)
end

vim.api.nvim_create_autocmd('WinClosed', {
  group = vim.api.nvim_create_augroup('brummer.folds', {}),
  desc = 'brummer: forget the folds of a window',
  callback = function(args)
    given[tonumber(args.match)] = nil
  end,
})

return M
