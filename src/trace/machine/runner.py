class Runner:
    def run(self):                                            #@run
        while True:                                           #@while
            future = self.future
            if future and not future.done():
                return                      # not yet
            try:
                if not future:
                    y = next(self.gen)                        #@start
                elif future.exception():
                    y = self.gen.throw(future.exception())    #@throw
                else:
                    y = self.gen.send(future.result())        #@send
            except StopIteration as end:
                return self.result.set_result(end.value)      #@return
            except Exception as e:
                return self.result.set_exception(e)           #@raise
            if not self.handle_yield(y):                      #@handle
                return                      # to the loop     #@back

    def handle_yield(self, y):
        self.future = convert_yielded(y)                      #@convert
        if self.future is moment:                             #@is_moment
            loop.add_callback(self.run)                       #@moment
            return False
        if not self.future.done():                            #@is_done
            self.future.add_done_callback(self.run)           #@wait
            return False
        return True                         # at once         #@already

def call(f, *args):                         # @gen.coroutine
    result = Future()
    try:
        it = f(*args)                                         #@plain
    except Exception as e:
        result.set_exception(e)             # trapped         #@plain_raise
    else:
        if isgenerator(it):
            Runner(it, result).run()                          #@call
        else:
            result.set_result(it)                             #@plain_done
    return result

while running:                              # the loop        #@loop
    sleep_until(timers)                                       #@sleep
    ready += timers.due()                                     #@due
    for _ in range(len(ready)):                               #@for
        ready.popleft()()                                     #@pop
