--- Vim's patterns as the host's regular expressions. Pure: what the host's cannot say gives nil.
local M = {}

--- What stands for itself only with a backslash, by magic level: `v`, `m`, `M` or `V`.
---@type table<string, string>
local SPECIAL = {
  v = '[^%w_%s]',
  m = '[%^%$%.%*%[~]',
  M = '[%^%$]',
  V = '[%^%$]',
}

-- Those whose capital letter is the opposite.
local CLASSES = {
  a = 'A-Za-z',
  d = '0-9',
  h = 'A-Za-z_',
  l = 'a-z',
  o = '0-7',
  s = ' \\t',
  u = 'A-Z',
  w = '0-9A-Za-z_',
  x = '0-9A-Fa-f',
}
-- Those where it leaves out the digits.
local NAMES = {
  f = [=[[\pL0-9\/.\-_+,#$%\~=]]=],
  i = [=[[\pL0-9_]]=],
  k = [=[[\pL0-9_]]=],
  p = [[\PC]],
  I = [=[[\pL_]]=],
  K = [=[[\pL_]]=],
}
-- One character, or a byte that is none.
local CHAR = '([%z\1-\255][\128-\191]*)'
local ESCAPES = { e = [[\x1B]], t = [[\t]], r = [[\r]], b = [[\x08]] }

-- Those the host's knows by the same name.
local POSIX = ' alpha digit alnum lower upper punct space xdigit cntrl print graph blank '

--- A character that stands for itself.
local function literal(char)
  -- The slash because it ends a /regex/ of a filter.
  return (char:gsub('[%^%$%.%*%+%?%(%)%[%]{}|\\/]', '\\%0'))
end

local function in_class(char)
  return (char:gsub('[%^%[%]%-\\&~/]', '\\%0'))
end

---@class brummer.Pattern
---@field src string
---@field pos integer the next character
---@field magic string
---@field out string[]
---@field case? boolean true: they differ; nil: as the options say
---@field depth integer groups that are open
---@field fresh boolean nothing before to repeat: a `*` is a star, a `^` the start
local Pattern = {}
Pattern.__index = Pattern

function Pattern:put(text, fresh)
  self.out[#self.out + 1] = text
  self.fresh = fresh or false
end

--- Reads what a Lua pattern with one capture finds here.
---@param pattern string
---@return string?
function Pattern:take(pattern)
  local found, stop = self.src:match('^' .. pattern .. '()', self.pos)
  if found then
    self.pos = stop --[[@as integer]]
  end
  return found
end

--- `{n,m}` and its relatives, behind the brace.
---@return boolean? ok
function Pattern:count()
  local body = self:take('([^}\\]*)\\?}')
  if not body or self.fresh then
    return
  end
  local lazy, n, comma, m = body:match('^(%-?)(%d*)(,?)(%d*)$')
  local tail = lazy == '-' and '?' or ''
  if not lazy then
    return
  elseif n == '' and m == '' then
    self:put('*' .. tail)
  elseif comma == '' then
    self:put(('{%s}%s'):format(n, tail))
  else
    self:put(('{%s,%s}%s'):format(n == '' and '0' or n, m, tail))
  end
  return true
end

--- One member of a collection, which may be the end of a range.
---@return string?
function Pattern:member()
  local name = self:take('%[:(%l+):%]')
  if name then
    return POSIX:find((' %s '):format(name), 1, true) and ('[:%s:]'):format(name) or nil
  elseif self.src:find('^%[[=.]', self.pos) then
    return
  end
  local escape = self:take('\\([etrb])')
  local code = self:take('\\[xuU](%x+)')
  if escape or code then
    return escape and ESCAPES[escape] or ('\\x{%s}'):format(code)
  elseif self.src:find('^\\[ndo]', self.pos) then
    return
  end
  return in_class(self:take('\\([%]%^%-\\])') or self:take(CHAR))
end

--- A collection, behind its bracket. Without an end the bracket is one.
---@return boolean? ok
function Pattern:collection()
  local start = self.pos
  local negated = self:take('(%^)')
  local out = { '[', negated }
  local first = true
  while self.pos <= #self.src do
    if not first and self:take('(%])') then
      self:put(table.concat(out) .. ']')
      return true
    end
    local range = not first and self.src:find('^%-[^%]]', self.pos) and self:take('(%-)')
    local member = self:member()
    if not member then
      return
    end
    out[#out + 1], first = (range or '') .. member, false
  end
  self.pos = start
  self:put('\\[')
  return true
end

--- What follows `\%`.
---@return boolean? ok
function Pattern:percent()
  if self:take('(%()') then
    self.depth = self.depth + 1
    self:put('(?:', true)
    return true
  elseif self:take('(#=%d)') or self:take('(C)') then
    return true
  end
  local code = self:take('[xuU](%x+)')
  if code then
    self:put(('\\x{%s}'):format(code))
  end
  return code ~= nil
end

--- A letter or digit behind a backslash, which means the same at every magic level.
---@param char string
---@return boolean? ok
function Pattern:letter(char)
  if char == '_' then
    -- Also at the end of a line: a line of a log has none in it.
    char = self:take('(.)') or ''
    if char == '[' then
      return self:collection()
    elseif char == '.' or char == '^' or char == '$' then
      self:put(char)
      return true
    end
  end
  local class = CLASSES[char:lower()]
  if ('vmMV'):find(char, 1, true) then
    self.magic = char
  elseif char == 'c' or char == 'C' then
    self.case = char == 'C'
  elseif char == 'Z' then
    return true
  elseif char == 'z' then
    -- Where the match begins or ends does not matter for whether there is one.
    return self:take('([se])') ~= nil
  elseif ESCAPES[char] then
    self:put(ESCAPES[char])
  elseif NAMES[char] then
    self:put(NAMES[char])
  elseif class then
    -- Classes do not ignore case.
    local set = ('[%s%s]'):format(char:lower() == char and '' or '^', class)
    self:put(char:lower():find('[lu]') and ('(?-i:%s)'):format(set) or set)
  else
    return
  end
  return true
end

--- Whether a `$` here is the end: behind it comes nothing, or the end of a branch or group.
---@return boolean
function Pattern:at_end()
  local rest = self.src:sub(self.pos)
  return self.magic == 'v' or rest == '' or rest:find('^\\[|)&n]') ~= nil or rest:find('^\\z?[cCsevmMV]') ~= nil
end

--- A character with its special meaning.
---@param char string
---@return boolean? ok
function Pattern:operator(char)
  if char == '*' then
    self:put(self.fresh and '\\*' or '*')
  elseif char == '+' or char == '=' or char == '?' then
    if self.fresh then
      return
    end
    self:put(char == '+' and '+' or '?')
  elseif char == '{' then
    return self:count()
  elseif char == '(' then
    self.depth = self.depth + 1
    self:put('(?:', true)
  elseif char == ')' then
    self.depth = self.depth - 1
    self:put(')')
  elseif char == '|' then
    self:put('|', true)
  elseif char == '<' or char == '>' then
    self:put('\\' .. char)
  elseif char == '.' then
    self:put('.')
  elseif char == '^' then
    local start = self.magic == 'v' or self.fresh and (self.magic ~= 'V' or #self.out == 0)
    self:put(start and '^' or '\\^', start)
  elseif char == '$' then
    self:put(self:at_end() and '$' or '\\$')
  elseif char == '[' then
    return self:collection()
  elseif char == '%' then
    return self:percent()
  elseif char:find('[%w_]') then
    return self:letter(char)
  elseif char:find('[~@&]') then
    return
  else
    self:put(literal(char))
  end
  return self.depth >= 0
end

---@return boolean? ok
function Pattern:step()
  local char = self:take(CHAR) --[[@as string]]
  local special = char:find(SPECIAL[self.magic]) ~= nil
  if char ~= '\\' then
    if special then
      return self:operator(char)
    end
    self:put(literal(char))
    return true
  end
  local next = self:take('(.)')
  if not next or next == '\\' then
    self:put('\\\\')
    return true
  elseif next:find(SPECIAL[self.magic]) then
    self:put(literal(next))
    return true
  end
  return self:operator(next)
end

--- The host's regular expression for a Vim pattern, nil where there is none. `opts` are the options.
---@param pattern string
---@param opts { ignorecase: boolean, smartcase: boolean }
---@return string?
function M.translate(pattern, opts)
  local self = setmetatable({}, Pattern) --[[@as brummer.Pattern]]
  self.src, self.pos, self.magic, self.out, self.depth, self.fresh = pattern, 1, 'm', {}, 0, true
  while self.pos <= #self.src do
    if not self:step() then
      return
    end
  end
  local differ = self.case
  if self.depth ~= 0 or #self.out == 0 then
    return
  elseif differ == nil then
    -- A capital letter behind a backslash is none.
    local capital = pattern:gsub('\\%%?.', ''):find('%u') ~= nil
    differ = not opts.ignorecase or opts.smartcase and capital
  end
  local regex = table.concat(self.out)
  -- Left alone the host tells cases apart where there is a capital letter.
  if differ and not regex:find('%u') then
    return '(?-i)' .. regex
  elseif not differ and regex:find('%u') then
    return '(?i)' .. regex
  end
  return regex
end

return M
