package dev.viesti.dispatcher.wasm.endive;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import run.endive.runtime.ConstantEvaluators;
import run.endive.runtime.Instance;
import run.endive.runtime.Memory;
import run.endive.wasm.types.ActiveDataSegment;
import run.endive.wasm.types.DataSegment;
import run.endive.wasm.types.PassiveDataSegment;

/**
 * The memory of one instance, in chunks of 4 KiB that come to be when they are first written to.
 * Before that a chunk is the module's image of it, or the one chunk of zeros, shared by all
 * instances: an instance costs what it writes, whatever its module declares.
 *
 * <p>Access out of bounds is an {@link IndexOutOfBoundsException} of the JVM, which checks the
 * index anyway; {@link EndiveInstance} calls it a trap.
 */
final class GuestMemory implements Memory {
  static final int CHUNK = 1 << 12;
  static final int CHUNKS_PER_PAGE = PAGE_SIZE / CHUNK;
  static final byte[] ZEROS = new byte[CHUNK];
  private static final int SHIFT = 12;
  private static final int MASK = CHUNK - 1;

  private static final VarHandle SHORTS =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final int initialPages;
  private final int pagesMax;
  private final boolean filled;

  /** What is in each chunk; as long as the memory is large. */
  private byte[][] readable;

  /** The same chunk, or null as long as it is shared. */
  private byte[][] writable;

  private DataSegment[] segments = {};

  /**
   * @param image chunks with which the memory begins; not written to
   * @param filled whether the image has the active data segments in it
   * @param pagesMax pages it may grow to
   */
  GuestMemory(byte[][] image, boolean filled, int pagesMax) {
    this.readable = image.clone();
    this.writable = new byte[image.length][];
    this.filled = filled;
    this.initialPages = pages();
    this.pagesMax = pagesMax;
  }

  static byte[][] emptyImage(int pages) {
    byte[][] image = new byte[pages * CHUNKS_PER_PAGE][];
    Arrays.fill(image, ZEROS);
    return image;
  }

  /** What the next memory begins with that begins as this one is now; this one must not go on. */
  byte[][] image() {
    return readable;
  }

  @Override
  public int pages() {
    return readable.length / CHUNKS_PER_PAGE;
  }

  @Override
  public int grow(int more) {
    int before = pages();
    if (more < 0 || more > pagesMax - before) {
      return -1;
    }
    if (more > 0) {
      int chunks = (before + more) * CHUNKS_PER_PAGE;
      byte[][] grown = Arrays.copyOf(readable, chunks);
      Arrays.fill(grown, readable.length, chunks, ZEROS);
      writable = Arrays.copyOf(writable, chunks);
      readable = grown;
    }
    return before;
  }

  @Override
  public int initialPages() {
    return initialPages;
  }

  @Override
  public int maximumPages() {
    return pagesMax;
  }

  @Override
  public boolean shared() {
    return false;
  }

  @Override
  @SuppressWarnings("removal") // the interface still declares it; threads are not allowed
  public Object lock(int address) {
    throw new UnsupportedOperationException("no threads");
  }

  @Override
  @SuppressWarnings("removal") // as above
  public int waitOn(int address, int expected, long timeout) {
    throw new UnsupportedOperationException("no threads");
  }

  @Override
  @SuppressWarnings("removal") // as above
  public int waitOn(int address, long expected, long timeout) {
    throw new UnsupportedOperationException("no threads");
  }

  @Override
  @SuppressWarnings("removal") // as above
  public int notify(int address, int threads) {
    throw new UnsupportedOperationException("no threads");
  }

  @Override
  public void initialize(Instance instance, DataSegment[] dataSegments) {
    initialize(instance, dataSegments, 0);
  }

  @Override
  public void initialize(Instance instance, DataSegment[] dataSegments, int memoryIndex) {
    segments = dataSegments;
    if (filled) {
      return;
    }
    for (DataSegment segment : dataSegments) {
      if (segment instanceof ActiveDataSegment active) {
        long offset =
            ConstantEvaluators.computeConstantValue(instance, active.offsetInstructions())[0];
        write((int) offset, active.data(), 0, active.data().length);
      }
    }
  }

  @Override
  public void initPassiveSegment(int segment, int destination, int offset, int size) {
    // After its segment was written, an active one counts as dropped.
    byte[] data =
        segments[segment] instanceof ActiveDataSegment ? new byte[0] : segments[segment].data();
    write(destination, data, offset, size);
  }

  @Override
  public void drop(int segment) {
    segments[segment] = PassiveDataSegment.EMPTY;
  }

  /** Fresh memory is zero. */
  @Override
  public void zero() {}

  @Override
  public void write(int address, byte[] data, int offset, int size) {
    if ((offset | size) < 0 || size > data.length - offset) {
      throw new IndexOutOfBoundsException("out of bounds of a data segment");
    }
    check(address, size);
    for (int done = 0; done < size; ) {
      int at = address + done;
      int part = Math.min(size - done, CHUNK - (at & MASK));
      System.arraycopy(data, offset + done, writable(at), at & MASK, part);
      done += part;
    }
  }

  @Override
  public byte[] readBytes(int address, int length) {
    check(address, length);
    byte[] bytes = new byte[length];
    for (int done = 0; done < length; ) {
      int at = address + done;
      int part = Math.min(length - done, CHUNK - (at & MASK));
      System.arraycopy(readable(at), at & MASK, bytes, done, part);
      done += part;
    }
    return bytes;
  }

  @Override
  public void fill(byte value, int from, int to) {
    int size = to - from;
    check(from, size);
    for (int done = 0; done < size; ) {
      int at = from + done;
      int start = at & MASK;
      int part = Math.min(size - done, CHUNK - start);
      Arrays.fill(writable(at), start, start + part, value);
      done += part;
    }
  }

  @Override
  public void copy(int destination, int source, int size) {
    check(destination, size);
    check(source, size);
    if (destination <= source) {
      for (int done = 0; done < size; ) {
        int to = destination + done;
        int from = source + done;
        int part = Math.min(size - done, CHUNK - Math.max(to & MASK, from & MASK));
        System.arraycopy(readable(from), from & MASK, writable(to), to & MASK, part);
        done += part;
      }
      return;
    }
    for (int left = size; left > 0; ) {
      int to = destination + left;
      int from = source + left;
      int part = Math.min(left, Math.min(((to - 1) & MASK) + 1, ((from - 1) & MASK) + 1));
      left -= part;
      // The writable one first: the source may be the same chunk, which until then is shared.
      byte[] target = writable(destination + left);
      System.arraycopy(
          readable(source + left), (source + left) & MASK, target, (to - part) & MASK, part);
    }
  }

  @Override
  public byte read(int address) {
    return readable(address)[address & MASK];
  }

  @Override
  public short readShort(int address) {
    int offset = address & MASK;
    return offset <= CHUNK - Short.BYTES
        ? (short) SHORTS.get(readable(address), offset)
        : (short) readAcross(address, Short.BYTES);
  }

  @Override
  public int readInt(int address) {
    int offset = address & MASK;
    return offset <= CHUNK - Integer.BYTES
        ? (int) INTS.get(readable(address), offset)
        : (int) readAcross(address, Integer.BYTES);
  }

  @Override
  public long readLong(int address) {
    int offset = address & MASK;
    return offset <= CHUNK - Long.BYTES
        ? (long) LONGS.get(readable(address), offset)
        : readAcross(address, Long.BYTES);
  }

  @Override
  public long readU16(int address) {
    return Short.toUnsignedLong(readShort(address));
  }

  @Override
  public float readFloat(int address) {
    return Float.intBitsToFloat(readInt(address));
  }

  @Override
  public long readF32(int address) {
    return readInt(address);
  }

  @Override
  public double readDouble(int address) {
    return Double.longBitsToDouble(readLong(address));
  }

  @Override
  public long readF64(int address) {
    return readLong(address);
  }

  @Override
  public void writeByte(int address, byte value) {
    writable(address)[address & MASK] = value;
  }

  @Override
  public void writeShort(int address, short value) {
    int offset = address & MASK;
    if (offset <= CHUNK - Short.BYTES) {
      SHORTS.set(writable(address), offset, value);
    } else {
      writeAcross(address, value, Short.BYTES);
    }
  }

  @Override
  public void writeI32(int address, int value) {
    int offset = address & MASK;
    if (offset <= CHUNK - Integer.BYTES) {
      INTS.set(writable(address), offset, value);
    } else {
      writeAcross(address, value, Integer.BYTES);
    }
  }

  @Override
  public void writeLong(int address, long value) {
    int offset = address & MASK;
    if (offset <= CHUNK - Long.BYTES) {
      LONGS.set(writable(address), offset, value);
    } else {
      writeAcross(address, value, Long.BYTES);
    }
  }

  @Override
  public void writeF32(int address, float value) {
    writeI32(address, Float.floatToRawIntBits(value));
  }

  @Override
  public void writeF64(int address, double value) {
    writeLong(address, Double.doubleToRawLongBits(value));
  }

  /** Negative addresses are 2 GiB or more, where no memory is. */
  private byte[] readable(int address) {
    return readable[address >>> SHIFT];
  }

  private byte[] writable(int address) {
    byte[] chunk = writable[address >>> SHIFT];
    return chunk != null ? chunk : own(address >>> SHIFT);
  }

  private byte[] own(int index) {
    byte[] owned = readable[index].clone();
    readable[index] = owned;
    writable[index] = owned;
    return owned;
  }

  private long readAcross(int address, int size) {
    check(address, size);
    long value = 0;
    for (int i = size - 1; i >= 0; i--) {
      value = value << 8 | (read(address + i) & 0xff);
    }
    return value;
  }

  private void writeAcross(int address, long value, int size) {
    check(address, size);
    for (int i = 0; i < size; i++) {
      writeByte(address + i, (byte) (value >>> (8 * i)));
    }
  }

  private void check(int address, int size) {
    if ((address | size) < 0 || (long) address + size > (long) readable.length << SHIFT) {
      throw new IndexOutOfBoundsException("out of bounds memory access");
    }
  }
}
