import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { defineMode, isGradEnabled, noGrad } from '@gradgate/core';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  Headers,
  HttpCode,
  Injectable,
  Module,
  Param,
  Post,
  Query,
  SetMetadata,
  UseGuards,
} from '@nestjs/common';
import { NestFactory, Reflector } from '@nestjs/core';
import { action, isAction, makeObservable, observable } from 'mobx';
import { Container, Inject, Service } from 'typedi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const evalMode = defineMode('test.legacy.libraries', true).gate('evalMode', false);

@Injectable()
class Deny implements CanActivate {
  canActivate() {
    return false;
  }
}
const Roles = (...roles: string[]) => SetMetadata('roles', roles);
@Injectable()
class RolesGuard implements CanActivate {
  constructor(readonly reflector: Reflector) {}
  canActivate(context: ExecutionContext) {
    const needed = this.reflector.get<string[] | undefined>('roles', context.getHandler());
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return needed === undefined || needed.includes(headers['x-role'] ?? '');
  }
}
Reflect.defineMetadata('design:paramtypes', [Reflector], RolesGuard);

@Controller()
@UseGuards(RolesGuard)
class Models {
  // Each place that the gate can have among the others.
  @noGrad @Get('deny/0') @UseGuards(Deny) deny0() {
    return 'open';
  }
  @Get('deny/1') @noGrad @UseGuards(Deny) deny1() {
    return 'open';
  }
  @Get('deny/2') @UseGuards(Deny) @noGrad deny2() {
    return 'open';
  }
  @Get('deny/3') @noGrad(() => false) @evalMode @UseGuards(Deny) deny3() {
    return 'open';
  }
  @noGrad @Get('role/0') @Roles('admin') role0() {
    return 'open';
  }
  @Get('role/1') @noGrad @Roles('admin') role1() {
    return 'open';
  }
  @Roles('admin') @Get('role/2') @noGrad role2() {
    return 'open';
  }
  @Get('params/:id')
  @noGrad
  @Header('X-Model', 'net')
  @HttpCode(203)
  async params(@Param('id') id: string, @Query('n') n: string, @Headers('x-role') role: string) {
    await null;
    return { id, n, role, grad: isGradEnabled() };
  }
  @noGrad @Post('train') @HttpCode(201) train(@Param() _params: object) {
    return { grad: isGradEnabled() };
  }
  @Get('plain') plain() {
    return { grad: isGradEnabled() };
  }
}

@Module({ controllers: [Models], providers: [Deny, RolesGuard] })
class App {}

describe('NestJS over HTTP', () => {
  let app: Awaited<ReturnType<typeof NestFactory.create>>;
  let url = '';
  beforeAll(async () => {
    app = await NestFactory.create(App, { logger: false });
    await app.listen(0, '127.0.0.1');
    url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  });
  afterAll(() => app.close());

  it.each([0, 1, 2, 3])('a guard that denies does so wherever the gate stands: %i', async (i) => {
    expect((await fetch(`${url}/deny/${i}`)).status).toBe(403);
  });

  it.each([0, 1, 2])('roles that are metadata of the method are asked for wherever the gate stands: %i', async (i) => {
    expect((await fetch(`${url}/role/${i}`)).status).toBe(403);
    const response = await fetch(`${url}/role/${i}`, { headers: { 'x-role': 'admin' } });
    expect([response.status, await response.text()]).toEqual([200, 'open']);
  });

  it('parameters, headers and status codes arrive, and the handler runs in the gate', async () => {
    const response = await fetch(`${url}/params/7?n=2`, { headers: { 'x-role': 'user' } });
    expect([response.status, response.headers.get('x-model'), await response.json()]).toEqual([
      203,
      'net',
      { id: '7', n: '2', role: 'user', grad: false },
    ]);
    expect(await (await fetch(`${url}/train`, { method: 'POST' })).json()).toEqual({ grad: false });
    expect(await (await fetch(`${url}/plain`)).json()).toEqual({ grad: true });
  });
});

describe('TypeDI', () => {
  it('injects into services whose methods are guarded', () => {
    @Service()
    class Weights {
      readonly value = 3;
    }
    @Service()
    class Net {
      @Inject(() => Weights) weights!: Weights;
      @noGrad score() {
        return [this.weights.value, isGradEnabled()];
      }
    }
    expect(Container.get(Net).score()).toEqual([3, false]);
  });
});

describe('MobX', () => {
  it('makes actions of guarded methods', () => {
    class Store {
      loss = 1;
      constructor() {
        makeObservable(this, { loss: observable, set: action });
      }
      @noGrad set(value: number) {
        this.loss = value;
        return isGradEnabled();
      }
    }
    const store = new Store();
    expect([store.set(3), store.loss, isAction(store.set)]).toEqual([false, 3, true]);
  });
});
