package dev.viesti.dispatcher.wasm.endive;

import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.WasmEngine;
import dev.viesti.dispatcher.wasm.WasmModule;
import dev.viesti.dispatcher.wasm.WasmSettings;
import dev.viesti.dispatcher.wasm.metering.FuelInjector;
import dev.viesti.dispatcher.wasm.metering.ModuleLayout;
import dev.viesti.dispatcher.wasm.metering.ModuleScan;
import java.io.ByteArrayInputStream;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import run.endive.compiler.InterpreterFallback;
import run.endive.compiler.MachineFactoryCompiler;
import run.endive.runtime.Instance;
import run.endive.runtime.Machine;
import run.endive.wasm.Parser;
import run.endive.wasm.WasmEngineException;

/**
 * Loads modules on threads of its own, a few at a time: neither does a caller wait longer than the
 * timeout, nor do many callers make many compilations. Compilation cannot be interrupted; what
 * bounds it are the limits that are checked before it.
 */
public final class EndiveEngine implements WasmEngine, AutoCloseable {
  /** For validation and compilation, whose own recursion is flat. Bytes. */
  private static final long WORKER_STACK = 4L << 20;

  private final WasmSettings settings;
  private final ThreadPoolExecutor workers;

  public EndiveEngine(WasmSettings settings) {
    this.settings = settings;
    AtomicInteger number = new AtomicInteger();
    this.workers =
        new ThreadPoolExecutor(
            settings.loading().workers(),
            settings.loading().workers(),
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(Math.max(1, settings.loading().waitingMax())),
            task -> {
              String name = "viesti-wasm-load-" + number.incrementAndGet();
              Thread thread = new Thread(null, task, name, WORKER_STACK);
              thread.setDaemon(true);
              return thread;
            });
    workers.allowCoreThreadTimeOut(true);
  }

  /**
   * {@inheritDoc}
   *
   * @throws RejectedExecutionException when too many modules wait to be compiled, the engine is
   *     closed, or the calling thread is interrupted: nothing is wrong with this one
   */
  @Override
  public WasmModule load(byte[] binary) throws InvalidModuleException {
    if (binary.length > settings.moduleBytesMax()) {
      throw new InvalidModuleException(
          "has %,d bytes, more than %,d".formatted(binary.length, settings.moduleBytesMax()));
    }
    byte[] own = binary.clone();
    Future<WasmModule> loading = workers.submit(() -> compile(own));
    try {
      return loading.get(settings.loading().timeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      loading.cancel(true);
      throw new InvalidModuleException(
          "took longer than %s to compile".formatted(settings.loading().timeout()));
    } catch (InterruptedException e) {
      loading.cancel(true);
      Thread.currentThread().interrupt();
      throw new RejectedExecutionException("interrupted while a module was loaded", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof InvalidModuleException invalid) {
        throw invalid;
      }
      throw new IllegalStateException("loading a module failed", e.getCause());
    }
  }

  private WasmModule compile(byte[] binary) throws InvalidModuleException {
    ModuleLayout layout = ModuleScan.scan(binary, settings);
    try {
      var unused = Parser.parse(binary); // validates: see FuelInjector
      byte[] metered = FuelInjector.inject(binary, layout);
      // Validating is most of the work: what was valid before metering is valid after it.
      run.endive.wasm.WasmModule module =
          Parser.builder()
              .withValidation(false)
              .build()
              .parse(() -> new ByteArrayInputStream(metered));
      return new EndiveModule(layout, module, machines(module), settings.tables().entriesMax());
    } catch (WasmEngineException e) {
      throw new InvalidModuleException("is not valid: " + e.getMessage());
    } catch (StackOverflowError | OutOfMemoryError e) {
      throw new InvalidModuleException("takes more memory to compile than there is");
    } catch (RuntimeException | AssertionError | LinkageError e) {
      // The parser throws what it meets: arrays and buffers that end, its own assertions where they
      // are enabled; and the JVM verifies what the compiler made of it.
      throw new InvalidModuleException("is malformed or cannot be compiled: " + e);
    }
  }

  private static Function<Instance, Machine> machines(run.endive.wasm.WasmModule module) {
    return MachineFactoryCompiler.builder(module)
        .withInterpreterFallback(InterpreterFallback.SILENT)
        .compile();
  }

  /** Ends the threads; what is being loaded fails. */
  @Override
  public void close() {
    workers.shutdownNow();
  }
}
