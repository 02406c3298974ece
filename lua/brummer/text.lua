--- Small text helpers: nearest name, fitting into a width, durations.
local M = {}

--- Number of single-character edits between two words.
---@param a string
---@param b string
---@return integer
function M.distance(a, b)
  local prev = {}
  for j = 0, #b do
    prev[j] = j
  end
  for i = 1, #a do
    local row = { [0] = i }
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(prev[j] + 1, row[j - 1] + 1, prev[j - 1] + cost)
    end
    prev = row
  end
  return prev[#b]
end

--- The candidate nearest to `word`, or nil when none is near enough to be meant.
---@param word string
---@param candidates string[]
---@return string?
function M.nearest(word, candidates)
  local best, best_cost
  for _, c in ipairs(candidates) do
    local cost = M.distance(word:lower(), c:lower())
    if word ~= '' and c:sub(1, #word) == word then
      cost = math.min(cost, 1)
    end
    if not best_cost or cost < best_cost then
      best, best_cost = c, cost
    end
  end
  if best_cost and best_cost <= math.max(2, math.floor(#word / 2)) then
    return best
  end
end

--- `, did you mean 'x'?`, or ''.
---@param word string
---@param candidates string[]
---@return string
function M.hint(word, candidates)
  local near = M.nearest(word, candidates)
  return near and (", did you mean '%s'?"):format(near) or ''
end

---@param text string
---@param cells integer
---@return string head at most `cells` wide
local function head(text, cells)
  local width, out = 0, {}
  for _, char in ipairs(vim.fn.split(text, '\\zs')) do
    width = width + vim.fn.strdisplaywidth(char)
    if width > cells then
      break
    end
    out[#out + 1] = char
  end
  return table.concat(out)
end

---@param text string
---@param cells integer
---@return string tail at most `cells` wide
local function tail(text, cells)
  local chars, width = vim.fn.split(text, '\\zs'), 0
  local first = #chars + 1
  while first > 1 do
    width = width + vim.fn.strdisplaywidth(chars[first - 1])
    if width > cells then
      break
    end
    first = first - 1
  end
  return table.concat(chars, '', first)
end

--- What stands for the rest of a text that was cut.
---@return string
local function cut()
  return require('brummer.config').icon('cut')
end

--- Cuts `text` to `cells`: its longest path in the middle, else the whole text at its end.
---@param text string
---@param cells integer
---@return string
function M.fit(text, cells)
  text = text:gsub('[%c]+', ' ')
  local width = vim.fn.strdisplaywidth(text)
  if width <= cells then
    return text
  end
  local path = ''
  for word in text:gmatch('%S*/%S*') do
    path = #word > #path and word or path
  end
  local ellipsis = cut()
  local mark = vim.fn.strdisplaywidth(ellipsis)
  local room = vim.fn.strdisplaywidth(path) - (width - cells) - mark
  if room >= 8 then
    local left = math.floor(room / 3)
    local shorter = head(path, left) .. ellipsis .. tail(path, room - left)
    local from, to = text:find(path, 1, true)
    return text:sub(1, from - 1) .. shorter .. text:sub(to + 1)
  end
  return head(text, math.max(cells - mark, 0)) .. ellipsis
end

--- Cuts `text` at its end to `cells` and pads it to exactly that.
---@param text string
---@param cells integer
---@return string
function M.pad(text, cells)
  if vim.fn.strdisplaywidth(text) > cells then
    local mark = cut()
    text = head(text, math.max(cells - vim.fn.strdisplaywidth(mark), 0)) .. mark
  end
  return text .. (' '):rep(cells - vim.fn.strdisplaywidth(text))
end

--- `text` in lines of at most `cells`, broken between words where there are any.
---@param text string
---@param cells integer
---@return string[] lines at least one
function M.wrap(text, cells)
  local lines, line = {}, nil
  for word in text:gsub('%c+', ' '):gmatch('%S+') do
    local longer = line and line .. ' ' .. word or word
    if line and vim.fn.strdisplaywidth(longer) > cells then
      lines[#lines + 1], longer = line, word
    end
    local piece = head(longer, cells)
    while #piece < #longer and piece ~= '' do
      lines[#lines + 1], longer = piece, longer:sub(#piece + 1)
      piece = head(longer, cells)
    end
    line = longer
  end
  lines[#lines + 1] = line or #lines == 0 and '' or nil
  return lines
end

--- Words of a command line: blanks part them, quotes hold them together, a backslash before a blank, quote or
--- backslash, or before a `!` at the beginning of a word, takes its meaning. A quote that is never closed is a character like others.
---@param line string
---@return string[]
function M.words(line)
  local words, word, pos = {}, nil, 1
  while pos <= #line do
    local char = line:sub(pos, pos)
    local close = (char == '"' or char == "'") and line:find(char, pos + 1, true)
    local escaped = line:match('^\\([%s"\'\\])', pos) or not word and line:match('^\\(!)', pos)
    if escaped then
      word, pos = (word or '') .. escaped, pos + 2
    elseif close then
      word, pos = (word or '') .. line:sub(pos + 1, close - 1), close + 1
    elseif char:find('%s') then
      words[#words + 1], word, pos = word, nil, pos + 1
    else
      word, pos = (word or '') .. char, pos + 1
    end
  end
  words[#words + 1] = word
  return words
end

--- `412 ms`, `41 s`, `12m`, `3h 5m`.
---@param ms number
---@return string
function M.duration(ms)
  if ms < 1000 then
    return ('%d ms'):format(ms)
  elseif ms < 60000 then
    return ('%d s'):format(math.floor(ms / 1000))
  elseif ms < 3600000 then
    return ('%dm'):format(math.floor(ms / 60000))
  end
  return ('%dh %dm'):format(math.floor(ms / 3600000), math.floor(ms / 60000) % 60)
end

--- `312 B`, `4.1 kB`, `45 MB`: at most three digits.
---@param n integer
---@return string
function M.bytes(n)
  local units, at = { 'B', 'kB', 'MB', 'GB', 'TB' }, 1
  while n >= 1000 and at < #units do
    n, at = n / 1024, at + 1
  end
  return ((at > 1 and n < 10) and '%.1f %s' or '%.0f %s'):format(n, units[at])
end

--- `3 s ago` while it is fresh, then the time of day.
---@param at integer milliseconds since the epoch
---@return string
function M.ago(at)
  local past = math.max(os.time() * 1000 - at, 0)
  if past >= 3600000 then
    return os.date('%H:%M', math.floor(at / 1000)) --[[@as string]]
  end
  return past < 1000 and 'now' or M.duration(past) .. ' ago'
end

--- `93,112`.
---@param n integer
---@return string
function M.count(n)
  local grouped = ('%d'):format(n):reverse():gsub('(%d%d%d)', '%1,'):reverse()
  return (grouped:gsub('^,', ''))
end

--- `1 error`, `3 errors`.
---@param n integer
---@param noun string
---@return string
function M.plural(n, noun)
  return ('%s %s%s'):format(M.count(n), noun, n == 1 and '' or 's')
end

return M
