--- `K` and `gx` on a line of a log.
return function(test, t)
  --- What the float holds.
  local function float(c)
    return t.wait(function()
      return c:lua([[
        if vim.api.nvim_win_get_config(0).relative ~= '' then
          return vim.api.nvim_buf_get_lines(0, 0, -1, false)
        end
      ]])
    end, 'the float')
  end

  test('K shows all of a line: time, stream, run, rule, text', function(child)
    local c = child({ width = 100 })
    local buf = c:open_log()
    c:print(buf, 1, 5)
    c:type('3GK')
    local lines = float(c)
    t.eq(c:call('line').params, { id = 1, seq = 3 })
    t.has(lines[1], os.date('%Y-%m-%d %H:%M:%S', 1700000000) .. '.123 · stderr · run 3 · line 3')
    t.eq(vim.list_slice(lines, 2), { 'taken for: tsc', '', 'all of line 3' })
    c:type('q')
    t.eq(c:lua('return vim.api.nvim_get_current_buf()'), buf)
  end)

  test('K shows a line of a million bytes as one line', function(child)
    local c = child({ width = 80 })
    local buf = c:open_log()
    c:print(buf, 1, 5)
    c:answers([[return { line = function()
      return { text = ('word '):rep(200000), bytes = 3000000, at = 1700000000000, stream = 'out', run = 1 }
    end }]])
    c:type('K')
    local lines = float(c)
    t.eq(#lines[#lines], 1000000)
    t.has(table.concat(lines, '\n', 1, 3), 'the first 977 kB of 2.9 MB')
    t.eq(c:lua('return vim.wo.wrap'), true)
  end)

  test('K of a line of an earlier session asks the history; without a line it shows the process', function(child)
    local c = child({ width = 80 })
    local buf = c:open_log()
    c:print(buf, 1, 5)
    c:lua("require('brummer.ui.view').get(...).id = nil", buf)
    c:answers([[return { line = function(params)
      if params.seq == 4 then
        return { text = 'all of line 4', bytes = 13, at = params.at, stream = 'err', rule = 'tsc' }
      end
      return nil, 'this line is no longer kept'
    end }]])
    c:type('4GK')
    local lines = float(c)
    local asked = c:call('line').params
    t.eq({ asked.id, asked.seq, asked.root, asked.name }, { 0, 4, c.project, 'dev' })
    t.has(lines[1], ('%03d · stderr · line 4'):format(asked.at % 1000))
    t.eq({ lines[2], lines[#lines] }, { 'taken for: tsc', 'all of line 4' })
    c:type('q')
    c:type('5GK')
    lines = float(c)
    t.eq(lines[#lines], 'line 5')
    c:type('q')
    c:cmd('Brummer clear')
    c:type('K')
    t.has(table.concat(float(c), '\n'), 'command')
  end)

  test('gx and u open the link or URL under the cursor, or the only one', function(child)
    local c = child({ width = 100 })
    local buf = c:open_log()
    c:lua('vim.ui.open = function(url) _G.opened = url end')
    local function opened(url)
      t.wait(function()
        return c:lua('return _G.opened') == url
      end, url)
      c:lua('_G.opened = nil')
    end
    local lines = { 'see (http://a.test/x_(y)), https://b.test/?q=1.', 'nothing', 'click here or there' }
    c:frame({
      rev = 1,
      logs = { { buf = buf, id = 1, total = 3, lines = lines, seqs = { 1, 3 }, times = { 1, 3 }, reset = true } },
    })
    c:type('gg8|gx')
    opened('http://a.test/x_(y)')
    c:type('35|u')
    opened('https://b.test/?q=1')
    c:type('gg0gx')
    c:hears('several URLs here; put the cursor on one')
    c:type('jgx')
    c:hears('no URL on this line')
    c:answers([[return { urls_of = function()
      return { urls = { { 6, 10, 'https://c.test' }, { 14, 19, 'file:///etc/passwd' } } }
    end }]])
    c:type('j8|gx')
    opened('https://c.test')
    c:type('$gx')
    c:hears('only http and https are')
    t.eq(c:lua('return _G.opened'), nil)
  end)
end
