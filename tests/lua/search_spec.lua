--- `:Brummer search` and `g/`.
return function(test, t)
  local function name(c)
    return c:lua('return vim.api.nvim_buf_get_name(0)')
  end

  --- Starts a search and waits until its buffer is shown.
  local function search(c, command)
    c:cmd(command)
    return t.wait(function()
      return name(c):find('^brummer://search/') and c:lua('return vim.api.nvim_get_current_buf()')
    end, 'the search')
  end

  local function hits(c, buf, patch)
    c:frame({
      rev = 1,
      hits = { vim.tbl_extend('force', { buf = buf, lines = {}, seqs = {}, times = {}, ids = {}, names = {} }, patch) },
    })
  end

  local newest = {
    reset = true,
    lines = { 'error in b', 'an error' },
    seqs = { 7, 1, 3, 1 },
    times = { 1700000009000, 2 },
    ids = { 2, 1, 1, 1 },
    names = { { 'api', 1 }, { 'dev', 1 } },
    matches = { 0, 0, 5, 1, 3, 8 },
    total = 2,
  }
  local older = {
    lines = { 'first error' },
    seqs = { 1, 1 },
    times = { 1700000001000, 1 },
    ids = { 0, 1 },
    names = { { 'dev', 1 } },
    total = 3,
    done = true,
  }

  test('hits stream in, newest last, with time and name, and the bar counts', function(child)
    local c = child({ width = 80 })
    c:open_log()
    local buf = search(c, 'Brummer search error -hmr')
    t.eq(c:call('search').params, { buf = buf, root = c.project, query = 'error -hmr', max = 10000 })
    t.has(c:screen(), 'search error -hmr · 0 hits · searching')
    hits(c, buf, newest)
    t.eq(c:lua('return vim.fn.line(".")'), 2, 'at the newest')
    hits(c, buf, older)
    t.eq(c:lines(buf), { 'first error', 'error in b', 'an error' })
    t.eq(c:lua('return vim.api.nvim_get_current_line()'), 'an error', 'the cursor stays on its line')
    local screen = c:screen()
    t.has(screen, 'search error -hmr · 3 hits\n')
    local time = os.date('%H:%M:%S', 1700000009)
    t.has(screen, time .. ' api      error in b')
    t.has(screen, (' '):rep(8) .. ' dev      an error')
    t.eq(
      c:lua([[
        local ns = vim.api.nvim_get_namespaces()['brummer.search']
        return vim.tbl_map(function(mark) return { mark[2], mark[3] } end,
          vim.api.nvim_buf_get_extmarks(0, ns, 0, -1, {}))
      ]]),
      { { 1, 0 }, { 2, 3 } }
    )
    t.eq(c:lua('return { vim.bo.filetype, vim.bo.modifiable, vim.bo.buftype }'), { 'brummer-search', false, 'nofile' })
  end)

  test('hits that come before the window leave the cursor on the newest, too', function(child)
    local c = child({ width = 100 })
    c:open_log()
    c:answers([[return { search = function(p, host)
      host.send({ hits = { {
        buf = p.buf, reset = true, lines = { 'a', 'b' }, seqs = { 1, 2 }, times = { 1, 2 }, ids = { 1, 2 },
        names = { { 'dev', 2 } }, total = 2, done = true,
      } } })
      return {}
    end }]])
    search(c, 'Brummer search x')
    t.eq(c:lua('return vim.fn.line(".")'), 2)
  end)

  test('<CR> goes to the source, else to the line in its log; older sessions are asked by text', function(child)
    local c = child({ width = 100, files = { ['src/a.ts'] = '1\n2\n3\n' } })
    local log = c:open_log()
    c:print(log, 1, 50)
    local buf = search(c, 'Brummer search error')
    hits(c, buf, newest)
    hits(c, buf, older)
    c:answers(([[return { locate = function(p)
      if p.id == 2 then return { file = %q, line = 2, message = 'm', rule = 'r' } end
      return nil, 'this line names no place'
    end }]]):format(c.project .. '/src/a.ts'))
    c:type('2G<CR>')
    t.eq(c:call('locate').params, { id = 2, seq = 7 })
    t.wait(function()
      return name(c):find('src/a.ts', 1, true) and c:lua('return vim.fn.line(".")') == 2
    end, 'the source')
    c:cmd('wincmd p')
    c:type('3G<CR>')
    t.wait(function()
      return name(c) == 'brummer://logs/dev' and c:lua('return vim.fn.line(".")') == 3
    end, 'the line in its log')
    t.eq(c:lua("return require('brummer.ui.follow').on(vim.api.nvim_get_current_win())"), false)
    c:cmd('buffer brummer://search/1')
    c:type('1G<CR>')
    t.eq(c:call('place').params, { root = c.project, name = 'dev', lines = { 'first error' }, at = 1 })
    c:hears('this line names no place')
    t.eq(#c:calls('locate'), 2)
  end)

  test('a line that its log no longer shows is said, and the hits stay', function(child)
    local c = child({ width = 100 })
    local log = c:open_log()
    c:print(log, 40, 50)
    local buf = search(c, 'Brummer search error')
    hits(c, buf, newest)
    c:type('G<CR>')
    c:hears('the log no longer shows that line; K shows all of it')
    t.eq(name(c), 'brummer://search/1')
    t.eq(c:lua('return vim.fn.line(".")'), 2)
  end)

  test('R searches again; closing ends a search that runs', function(child)
    local c = child({ width = 80 })
    c:open_log()
    local buf = search(c, 'Brummer search error')
    hits(c, buf, vim.tbl_extend('force', newest, { done = true }))
    c:type('R')
    c:call('search', 2)
    t.eq(#c:lines(buf), 2, 'what is there stays until something else comes')
    hits(c, buf, newest)
    t.eq(#c:lines(buf), 2)
    c:type('q')
    t.eq(c:call('unsearch').params, { buf = buf })
    hits(c, buf, older)
    t.eq(#c:lines(buf), 2, 'nothing comes any more')
    c:cmd('sbuffer ' .. buf)
    t.has(c:screen(), '2 hits · stopped · R searches again')
  end)

  test('a wrong pattern opens nothing', function(child)
    local c = child({ width = 100 })
    c:open_log()
    local wins = #c:lua('return vim.api.nvim_list_wins()')
    c:answers([[return { search = function() return nil, 'filter: unclosed group in /a(/, character 3' end }]])
    c:cmd('Brummer search /a(/')
    c:hears('unclosed group in /a(/, character 3')
    t.eq(#c:lua('return vim.api.nvim_list_wins()'), wins)
    t.eq(c:lua("return vim.fn.bufexists('brummer://search/1')"), 0)
    c:cmd('Brummer search --al x')
    c:hears(":Brummer search has no '--al', did you mean 'all'?")
  end)

  test('flags: all projects, earlier sessions, and what begins with a minus', function(child)
    local c = child({ width = 100 })
    c:open_log()
    search(c, 'Brummer search --all --previous x')
    local params = c:call('search').params
    t.eq({ params.root, params.previous, params.query }, { nil, true, 'x' })
    c:cmd('Brummer search -- --flag')
    t.eq(c:call('search', 2).params.query, '--flag')
  end)

  test('g/ takes the last pattern of /, in what the host understands', function(child)
    local c = child({ width = 100 })
    local buf = c:open_log()
    c:print(buf, 1, 5)
    c:lua([[vim.fn.setreg('/', '\\<line\\> [0-9]\\+')]])
    c:type('g/')
    t.eq(c:call('search').params.query, [[/(?-i)\<line\> [0-9]+/]])
  end)

  test('g/ asks when the pattern cannot be said, and when there is none', function(child)
    local c = child({ width = 100 })
    c:open_log()
    c:lua([[
      vim.ui.input = function(opts, cb)
        _G.asked = opts.default
        cb(_G.answer)
      end
      vim.fn.setreg('/', '\\(a\\)/\\1')
    ]])
    c:type('g/')
    t.eq(c:lua('return _G.asked'), [[/\(a\)\/\1/]])
    c:lua("vim.fn.setreg('/', '') _G.answer = '  found '")
    c:type('g/')
    t.eq(c:lua('return _G.asked'), '')
    t.eq(c:call('search').params.query, 'found')
  end)

  test('at most so many lines, cut ones and faults are told', function(child)
    local c = child({ width = 100 })
    c:open_log()
    local buf = search(c, 'Brummer search x')
    hits(c, buf, vim.tbl_extend('force', newest, { total = 12000, done = true, more = true, clipped = { 0, 70000 } }))
    t.has(c:screen(), 'search x · newest 2 of 12,000 hits or more')
    t.has(c:screen(), 'error in b … cut, K shows all 70,000 bytes')
    hits(c, buf, { done = true })
    local second = search(c, 'Brummer search y')
    t.wait(function()
      second = c:lua('return vim.api.nvim_get_current_buf()')
      return second ~= buf
    end)
    hits(c, second, { total = 0, done = true, error = 'history of shop cannot be read' })
    t.has(c:screen(), 'search y · 0 hits · history of shop cannot be read')
  end)

  test('no message and no bar needs a key at 60 cells', function(child)
    local c = child({ width = 60, height = 20 })
    c:open_log()
    local buf = search(c, 'Brummer search ' .. ('word '):rep(30))
    hits(c, buf, newest)
    t.eq(c:mode().blocking, false)
    t.has(c:screen(), 'search word word')
  end)
end
