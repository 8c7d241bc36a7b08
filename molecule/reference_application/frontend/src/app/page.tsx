import { Console } from "@/components/console";

export default function Home() {
  return (
    <main>
      <header>
        <h1>Mission Control</h1>
        <p className="stand-in">
          Reference application: a stand-in for trials and tests, not OpenClaw Mission Control
        </p>
      </header>
      <Console />
    </main>
  );
}
