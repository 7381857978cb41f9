// Runs Kafka's command-line tools one after the other in one JVM, for test/compat/tools.ts: a line comes in with the
// main class, the standard input and the arguments, each in Base64, and goes out with the exit code, the standard output
// and the error stream. Runs as a single source file with Kafka's jars on the class path.
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import org.apache.kafka.common.utils.Exit;

public class ToolRunner {
  /** Takes the place of the end of the process. */
  static class Ended extends Error {
    Ended() { super("the tool ended", null, false, false); }
  }

  /** What a tool has said; nothing more is taken once it has ended. */
  static class Said extends OutputStream {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private boolean closed = false;

    @Override public synchronized void write(int b) { if (!closed) bytes.write(b); }
    @Override public synchronized void write(byte[] b, int off, int len) { if (!closed) bytes.write(b, off, len); }
    synchronized void end() { closed = true; }

    synchronized String take() {
      String text = Base64.getEncoder().encodeToString(bytes.toByteArray());
      bytes.reset();
      closed = false;
      return text;
    }
  }

  static final Said out = new Said();
  static final Said err = new Said();
  static Integer code;

  /** The first exit counts: a tool that catches its own end and goes on talking would have been gone. */
  static void exit(int status, String message) {
    if (code == null) {
      code = status;
      System.out.flush();
      System.err.flush();
      out.end();
      err.end();
    }
    throw new Ended();
  }

  /** Counters of an earlier run: a new process would begin at zero. */
  static void forget(Class<?> tool) throws Exception {
    for (Field field : tool.getDeclaredFields()) {
      boolean variable = Modifier.isStatic(field.getModifiers()) && !Modifier.isFinal(field.getModifiers());
      if (variable && field.getType() == int.class) {
        field.setAccessible(true);
        field.setInt(null, 0);
      }
    }
  }

  static void run(String mainClass, String[] args) throws Exception {
    Class<?> tool = Class.forName(mainClass);
    forget(tool);
    code = null;
    try {
      tool.getMethod("main", String[].class).invoke(null, (Object) args);
    } catch (InvocationTargetException thrown) {
      if (code == null) {
        code = 1;
        System.err.println("Exception in thread \"main\" " + thrown.getCause());
      }
    }
    System.out.flush();
    System.err.flush();
  }

  static String text(String base64) {
    return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
  }

  public static void main(String[] unused) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream answers = System.out;
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
    Exit.setExitProcedure(ToolRunner::exit);
    Exit.setHaltProcedure(ToolRunner::exit);
    Exit.setShutdownHookAdder((name, hook) -> { });
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] parts = Arrays.stream(line.split(" ", -1)).map(ToolRunner::text).toArray(String[]::new);
      System.setIn(new ByteArrayInputStream(parts[1].getBytes(StandardCharsets.UTF_8)));
      run(parts[0], Arrays.copyOfRange(parts, 2, parts.length));
      answers.println((code == null ? 0 : code) + " " + out.take() + " " + err.take());
      answers.flush();
    }
    System.exit(0);
  }
}
