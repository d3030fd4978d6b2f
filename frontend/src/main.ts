import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import "./share/watching.css";
import { page } from "./page/page.svelte";

void page.start();
mount(App, { target: document.getElementById("app")! });
