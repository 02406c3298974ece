--- `gx` and `u`: opens the URL under the cursor, as the program linked it or as it stands in the text, or in a list the
--- address of the process.
local host = require('brummer.host')
local notify = require('brummer.notify')

local M = {}

---@class brummer.Url
---@field [1] integer first byte, from 0
---@field [2] integer behind the last
---@field [3] string

---@param text string
---@param pattern string
---@return integer
local function count(text, pattern)
  return select(2, text:gsub(pattern, ''))
end

--- URLs that stand in a text, without what belongs to the sentence around them.
---@param text string
---@return brummer.Url[]
function M.find(text)
  local found, pos = {}, 1
  while true do
    local first, last = text:find("https?://[^%s\"'<>`|]+", pos)
    if not first then
      return found
    end
    local url = text:sub(first, last):gsub('[.,:;!?]+$', '')
    -- A bracket is part of it only when it was opened in it.
    for open, close in pairs({ ['%('] = '%)', ['%['] = '%]', ['{'] = '}' }) do
      while url:find(close .. '$') and count(url, close) > count(url, open) do
        url = url:sub(1, -2):gsub('[.,:;!?]+$', '')
      end
    end
    found[#found + 1] = { first - 1, first - 1 + #url, url }
    pos = first + math.max(#url, 1)
  end
end

--- The one under the cursor, else the only one.
---@param urls brummer.Url[]
---@param col integer 0-based
---@return string?
local function pick(urls, col)
  for _, url in ipairs(urls) do
    if col >= url[1] and col < url[2] then
      return url[3]
    end
  end
  return #urls == 1 and urls[1][3] or nil
end

---@param url string?
---@param several boolean
local function open(url, several)
  if not url then
    return notify.say(several and 'several URLs here; put the cursor on one' or 'no URL on this line')
  end
  -- What a program printed goes to a browser, not to whatever opens files.
  if not url:find('^https?://') then
    return notify.error(('%s is not opened; only http and https are'):format(url))
  end
  local _, err = vim.ui.open(url)
  if err then
    notify.error(err)
  end
end

--- Opens the address of the process in a line of the list.
---@param view brummer.View
local function open_served(view)
  local cursor = require('brummer.cursor')
  local row = not cursor.astray()
    and require('brummer.ui.processes').row_at(view, vim.api.nvim_win_get_cursor(0)[1])
  if not row then
    return
  end
  local url = require('brummer.served').url(row)
  if not url then
    return notify.say(('%s has printed no address of this machine'):format(row.name))
  end
  open(url, false)
end

--- Opens the URL of the line of the cursor, of a list that of its process.
function M.open()
  local view = require('brummer.ui.view').get(0)
  if view and view.kind == 'processes' then
    return open_served(view)
  end
  local line = require('brummer.cursor').line()
  if not line then
    return open(nil, false)
  end
  local col = vim.api.nvim_win_get_cursor(0)[2]
  local seen = M.find(line.text)
  if line.id == 0 then
    return open(pick(seen, col), #seen > 1)
  end
  host.call('urls_of', { id = line.id, seq = line.seq }, function(err, value)
    local urls = not err and value and value.urls or {}
    urls = #urls > 0 and urls or seen
    open(pick(urls, col), #urls > 1)
  end)
end

return M
