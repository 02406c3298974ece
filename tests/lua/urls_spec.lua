--- Addresses that processes print: the event, the notice, the list of processes.
return function(test, t)
  local LOCAL = 'http://localhost:5173/'

  local function told(c)
    c:lua([[
      _G.got = {}
      require('brummer').on('url', function(data) table.insert(_G.got, data) end)
      vim.api.nvim_create_autocmd('User', { pattern = 'BrummerUrlDetected', callback = function(args)
        _G.user = args.data.url
      end })
    ]])
  end

  test('the event url has the process and the address', function(child)
    local c = child()
    told(c)
    c:frame({
      rev = 1,
      procs = { c:row({ urls = { LOCAL } }) },
      events = { { kind = 'url', id = 1, run = 1, at = 2, seq = 7, url = LOCAL } },
    })
    t.wait(function()
      return c:lua('return _G.user') == LOCAL
    end, 'the event')
    t.eq(c:lua('return _G.got'), {
      { kind = 'url', id = 1, run = 1, at = 2, seq = 7, url = LOCAL, name = 'dev', root = c.project },
    })
  end)

  test('a server that listens where it said is told once a run', function(child)
    local c = child()
    local list = { 'https://npmjs.com/x', 'http://127.0.0.1:9999/', LOCAL }
    c:frame({ rev = 1, procs = { c:row({ urls = list, ports = { 5173 } }) } })
    c:frame({ rev = 2, procs = { c:row({ urls = list, ports = { 5173 }, lines = 9 }) } })
    c:hears('brummer: dev is ready: ' .. LOCAL)
    c:frame({ rev = 3, procs = { c:row({ run = 2, urls = { 'https://[::1]:8443' }, ports = { 8443 } }) } })
    c:hears('brummer: dev is ready: https://[::1]:8443')
    t.eq(select(2, c:said():gsub('is ready', '')), 2)
  end)

  test('one that says itself when it is ready is told then', function(child)
    local c = child()
    c:frame({ rev = 1, procs = { c:row({ urls = { LOCAL }, ports = { 5173 }, ready = 'waiting' }) } })
    c:frame({ rev = 2, procs = { c:row({ id = 2, name = 'api', urls = { 'http://0.0.0.0:3000' }, ports = { 3000 } }) } })
    c:hears('brummer: api is ready: http://0.0.0.0:3000')
    t.ok(not c:said():find('dev', 1, true))
    c:frame({ rev = 3, procs = { c:row({ urls = { LOCAL }, ready = 'ready' }) } })
    c:hears('brummer: dev is ready: ' .. LOCAL)
  end)

  test('several are one notice; it can be turned off', function(child)
    local c = child()
    local rows = {
      c:row({ urls = { LOCAL }, ports = { 5173 } }),
      c:row({ id = 2, name = 'api', urls = { 'http://localhost' }, ports = { 80 } }),
    }
    c:frame({ rev = 1, procs = rows })
    c:hears('brummer: 2 servers are ready: dev, api')
    local off = child({ config = { notify = { ready = false } } })
    off:frame({ rev = 1, procs = rows, events = { { kind = 'exited', id = 1, run = 1, state = 'failed', exit_code = 1 } } })
    off:hears('dev failed')
    t.ok(not off:said():find('ready', 1, true))
  end)

  test('addresses that are not those of the process are no news', function(child)
    local c = child()
    c:frame({
      rev = 1,
      procs = {
        c:row({ urls = { 'http://localhost:9/', 'https://example.com' }, ports = { 5173 } }),
        c:row({ id = 2, name = 'api', urls = { LOCAL }, ports = { 5173 }, elsewhere = 4711 }),
        c:row({ id = 3, name = 'done', urls = { LOCAL }, state = 'success' }),
      },
      events = { { kind = 'exited', id = 3, run = 1, state = 'failed', exit_code = 1 } },
    })
    c:hears('done failed')
    t.ok(not c:said():find('ready', 1, true))
  end)

  test('the list shows the address, gx and u open it, K shows all', function(child)
    local c = child({ width = 100, height = 30 })
    c:lua('vim.ui.open = function(url) _G.opened = url end')
    c:frame({
      rev = 1,
      procs = { c:row({ urls = { 'https://example.com', LOCAL }, ports = { 5173 } }), c:row({ id = 2, name = 'api' }) },
    })
    c:cmd('Brummer')
    t.has(c:lines()[3], ':5173')
    t.eq(c:lines()[4], '       ' .. LOCAL)
    for _, keys in ipairs({ '3Ggx', '4Ggx', '4Gu' }) do
      c:type(keys)
      t.eq(c:lua('local url = _G.opened _G.opened = nil return url'), LOCAL)
    end
    c:type('5Ggx')
    c:hears('api has printed no address of this machine')
    c:type('ggu')
    c:hears('no process on this line')
    t.eq(c:lua('return _G.opened'), nil)
    c:type('3GK')
    t.wait(function()
      return c:screen():find('addresses%s+https://example.com%s')
    end, 'the details')
    -- What does not run has no address.
    c:type('q')
    c:frame({ rev = 2, procs = { c:row({ state = 'stopped', urls = { LOCAL } }) } })
    t.eq(#c:lines(), 3)
    t.has(c:lines()[3], 'dev')
  end)
end
